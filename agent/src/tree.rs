//! Copying a tree of files as it is: modes, times and symbolic links included.

use std::fs::{self, File, FileTimes};
use std::io;
use std::path::Path;

/// Copies the folder `from` to `to`, which must not exist yet. Sockets, pipes and devices are left
/// out. Bytecode in it stays valid, because files keep their modification times.
///
/// # Errors
/// When anything cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_entry(&entry.path(), &to.join(entry.file_name()))?;
    }
    // Last, because a folder may be read-only and writing into it changes its time.
    like(from, to)
}

/// Copies whatever is at `from`, if it is a file, a folder or a link, to `to`, where nothing is.
///
/// # Errors
/// When anything cannot be read or written.
pub fn copy_entry(from: &Path, to: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(from)?.file_type();
    if kind.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(from)?, to)?;
    } else if kind.is_dir() {
        copy(from, to)?;
    } else if kind.is_file() {
        copy_file(from, to)?;
    }
    Ok(())
}

/// Gives a folder the time and the mode of another one.
///
/// # Errors
/// When they cannot be read or set.
pub fn like(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    File::open(to)?.set_times(times(&metadata)?)?;
    fs::set_permissions(to, metadata.permissions())
}

fn copy_file(source: &Path, target: &Path) -> io::Result<()> {
    fs::copy(source, target)?;
    let times = times(&fs::metadata(source)?)?;
    // Opened for reading, because the file may be read-only; its owner may set times anyway.
    File::open(target)?.set_times(times)
}

fn times(metadata: &fs::Metadata) -> io::Result<FileTimes> {
    Ok(FileTimes::new().set_modified(metadata.modified()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn modes_times_and_links_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("package")).unwrap();
        fs::write(from.join("package/run"), "#!/bin/sh").unwrap();
        fs::set_permissions(from.join("package/run"), fs::Permissions::from_mode(0o555)).unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        File::open(from.join("package/run"))
            .unwrap()
            .set_times(FileTimes::new().set_modified(time))
            .unwrap();
        std::os::unix::fs::symlink("package/run", from.join("link")).unwrap();
        fs::set_permissions(from.join("package"), fs::Permissions::from_mode(0o500)).unwrap();

        copy(&from, &to).unwrap();

        let copied = fs::metadata(to.join("package/run")).unwrap();
        assert_eq!(copied.permissions().mode() & 0o777, 0o555);
        assert_eq!(copied.modified().unwrap(), time);
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("package/run"));
        assert_eq!(fs::metadata(to.join("package")).unwrap().permissions().mode() & 0o777, 0o500);
        fs::set_permissions(to.join("package"), fs::Permissions::from_mode(0o700)).unwrap();
    }
}
