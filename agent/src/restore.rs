//! Putting a copied tree back to what was copied, by looking at what has changed in it.
//!
//! A file's change time is the kernel's: whatever is done to a file, its name or its content sets
//! it, and nobody can set it back. So a file that has the number and the change time it had when
//! it was copied is as it was copied, and need not be read.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::tree;

/// A folder as it was copied: what is in it, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Folder(BTreeMap<OsString, Entry>);

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    mark: Mark,
    /// What it holds, if it is a folder.
    folder: Option<Folder>,
}

/// What is another one after every change. Of a folder, whose change time says no more than that
/// something in it came or went, the time is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    number: u64,
    mode: u32,
    changed: Option<(i64, i64)>,
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        let changed = (!metadata.is_dir()).then(|| (metadata.ctime(), metadata.ctime_nsec()));
        Self { number: metadata.ino(), mode: metadata.mode(), changed }
    }
}

impl Folder {
    /// A folder as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let entry = |entry: io::Result<fs::DirEntry>| {
            let entry = entry?;
            Ok((entry.file_name(), Entry::read(&entry.path())?))
        };
        fs::read_dir(path)?.map(entry).collect::<io::Result<_>>().map(Self)
    }

    /// Makes `copy`, which was this folder once, what `from` is.
    ///
    /// # Errors
    /// When anything cannot be read or written; then `copy` is neither.
    pub fn restore(&mut self, from: &Path, copy: &Path) -> io::Result<()> {
        for entry in fs::read_dir(copy)? {
            let entry = entry?;
            if !self.0.contains_key(&entry.file_name()) {
                remove(&entry.path())?;
            }
        }
        for (name, entry) in &mut self.0 {
            entry.restore(&from.join(name), &copy.join(name))?;
        }
        tree::like(from, copy)
    }
}

impl Entry {
    fn read(path: &Path) -> io::Result<Self> {
        let metadata = path.symlink_metadata()?;
        let folder = metadata.is_dir().then(|| Folder::read(path)).transpose()?;
        Ok(Self { mark: Mark::of(&metadata), folder })
    }

    fn restore(&mut self, from: &Path, copy: &Path) -> io::Result<()> {
        let found = match copy.symlink_metadata() {
            Ok(metadata) => Some(Mark::of(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if found == Some(self.mark) {
            return match &mut self.folder {
                Some(folder) => folder.restore(from, copy),
                None => Ok(()),
            };
        }
        if found.is_some() {
            remove(copy)?;
        }
        tree::copy_entry(from, copy)?;
        *self = Self::read(copy)?;
        Ok(())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata()?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    /// All there is to know of a tree but change times, and any times of links.
    fn seen(path: &Path) -> String {
        let listed = Command::new("find")
            .args([".", "-type", "l", "-printf", "%P %l\n", "-o"])
            .args(["-printf", "%P %y %m %T@ %n\n", "-type", "f", "-exec", "cat", "{}", ";"])
            .current_dir(path)
            .output()
            .unwrap();
        let mut lines: Vec<String> =
            String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        lines.join("\n")
    }

    fn project(path: &Path) {
        fs::create_dir_all(path.join("shop/fixtures")).unwrap();
        fs::create_dir(path.join("empty")).unwrap();
        for file in ["manage.py", "shop/models.py", "shop/fixtures/cart.json", "shop/views.py"] {
            fs::write(path.join(file), file).unwrap();
        }
        symlink("manage.py", path.join("link")).unwrap();
    }

    #[test]
    fn whatever_a_pod_does_to_its_tree_is_undone() {
        let folder = tempfile::tempdir().unwrap();
        let (from, copy) = (folder.path().join("from"), folder.path().join("copy"));
        project(&from);
        tree::copy(&from, &copy).unwrap();
        let mut made = Folder::read(&copy).unwrap();
        let wanted = seen(&copy);
        let untouched = copy.join("shop/views.py").metadata().unwrap().ino();
        for _ in 0..2 {
            // The same length and the same time as before.
            let time = copy.join("shop/models.py").metadata().unwrap().modified().unwrap();
            fs::write(copy.join("shop/models.py"), "hop/smodels.py").unwrap();
            fs::File::open(copy.join("shop/models.py")).unwrap().set_modified(time).unwrap();
            fs::set_permissions(copy.join("manage.py"), fs::Permissions::from_mode(0o700)).unwrap();
            fs::remove_dir_all(copy.join("shop/fixtures")).unwrap();
            fs::write(copy.join("shop/fixtures"), "a file now").unwrap();
            fs::remove_file(copy.join("link")).unwrap();
            symlink("shop", copy.join("link")).unwrap();
            fs::create_dir_all(copy.join("media/uploads")).unwrap();
            fs::write(copy.join("media/uploads/a"), "").unwrap();
            fs::hard_link(copy.join("manage.py"), copy.join("empty/other")).unwrap();
            assert_ne!(seen(&copy), wanted);

            made.restore(&from, &copy).unwrap();

            assert_eq!(seen(&copy), wanted);
            assert_eq!(seen(&from), wanted);
        }
        assert_eq!(copy.join("shop/views.py").metadata().unwrap().ino(), untouched);
    }
}
