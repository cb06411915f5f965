//! Files that several runs of a folder have, stored once: each has its names in the folders of the
//! runs, and one more by which it is found again.
//!
//! Whoever removes old runs removes a content that no run has any more.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use muletrain_proto::blob::{Digest, Hash};
use muletrain_proto::runs::CONTENT;

/// Bytes from which on a file is worth it.
const LEAST: u64 = 4096;

/// Bytes read at once.
const PIECE: usize = 64 << 10;

/// Gives a file of a run the content of a digest, if one is there and is still what it was.
#[must_use]
pub fn link(directory: &Path, digest: Digest, path: &Path) -> bool {
    let Some(content) = place(directory, digest) else { return false };
    match digest_of(&content) {
        Ok(found) if found == digest => fs::hard_link(&content, path).is_ok(),
        Ok(_) => {
            // Somebody wrote to it. Those who have it keep what is there.
            let _ = fs::remove_file(&content);
            false
        }
        Err(_) => false,
    }
}

/// Keeps the content of a run's file for other runs. It only saves room: where it cannot be done,
/// the file stays as it is.
pub fn keep(directory: &Path, digest: Digest, path: &Path) {
    let kept = || -> io::Result<()> {
        let Some(content) = place(directory, digest) else { return Ok(()) };
        if fs::metadata(path)?.len() < LEAST {
            return Ok(());
        }
        fs::create_dir_all(content.parent().unwrap_or(directory))?;
        fs::hard_link(path, &content)?;
        // What is changed in one run would be changed in all.
        fs::set_permissions(path, Permissions::from_mode(0o400))
    };
    if let Err(error) = kept() {
        tracing::debug!("{} is not shared with other runs: {error}", path.display());
    }
}

/// Where the content of a digest is, beside a run's directory.
fn place(directory: &Path, digest: Digest) -> Option<PathBuf> {
    let runs = directory.parent().filter(|runs| !runs.as_os_str().is_empty())?;
    Some(runs.join(CONTENT).join(digest.hexadecimal()))
}

fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let (mut hash, mut piece) = (Hash::default(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hash.finish()),
            length => hash.update(&piece[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn run(folder: &Path, name: &str) -> PathBuf {
        let directory = folder.join(name);
        fs::create_dir(&directory).unwrap();
        directory
    }

    #[test]
    fn equal_files_of_two_runs_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = vec![7; 5000];
        let digest = Digest::of(&bytes);
        let (one, other) = (run(folder.path(), "r1"), run(folder.path(), "r2"));
        assert!(!link(&one, digest, &one.join("a.png")));
        fs::write(one.join("a.png"), &bytes).unwrap();
        keep(&one, digest, &one.join("a.png"));
        assert!(link(&other, digest, &other.join("b.png")));
        assert_eq!(fs::read(other.join("b.png")).unwrap(), bytes);
        let data = |path: PathBuf| fs::metadata(path).unwrap();
        assert_eq!(data(one.join("a.png")).ino(), data(other.join("b.png")).ino());
        assert_eq!(data(one.join("a.png")).permissions().mode() & 0o777, 0o400);
    }

    #[test]
    fn what_somebody_wrote_to_is_not_given_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of(&vec![7; 5000]);
        let (one, other) = (run(folder.path(), "r1"), run(folder.path(), "r2"));
        fs::write(one.join("a"), vec![7; 5000]).unwrap();
        keep(&one, digest, &one.join("a"));
        fs::set_permissions(one.join("a"), Permissions::from_mode(0o600)).unwrap();
        fs::write(one.join("a"), "edited").unwrap();
        assert!(!link(&other, digest, &other.join("a")));
        assert_eq!(fs::read(one.join("a")).unwrap(), b"edited");
    }

    #[test]
    fn small_files_are_not_worth_it() {
        let folder = tempfile::tempdir().unwrap();
        let one = run(folder.path(), "r1");
        fs::write(one.join("a"), "small").unwrap();
        keep(&one, Digest::of(b"small"), &one.join("a"));
        assert!(!folder.path().join(CONTENT).exists());
    }
}
