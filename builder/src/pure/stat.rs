//! What the file system says of a file, and when that is enough to know its content.

use std::collections::BTreeMap;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::records::{self, number};

/// Nanoseconds within which a file may change again without its times telling: file systems
/// count in steps of up to two seconds.
const STEP: i128 = 2_000_000_000;

/// What changes with a file's content; times are nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Bytes.
    pub size: u64,
    /// When its content was changed, as programs may set it.
    pub modified: i128,
    /// When anything of it was changed.
    pub changed: i128,
    /// Its number on its disk.
    pub inode: u64,
}

/// What reading a file told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// SHA-256 of its content, in hexadecimal.
    pub digest: String,
    /// Whether a private key is in it.
    pub is_key: bool,
}

/// Files that were read before: none is read again that looks the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known(BTreeMap<PathBuf, (Stat, Seen)>);

/// What a file of [`Known`] begins with.
const PURPOSE: &str = "muletrain known files 2";

impl Known {
    /// What is known of a file that looks like this now.
    #[must_use]
    pub fn get(&self, path: &Path, stat: &Stat) -> Option<&Seen> {
        self.0.get(path).filter(|(known, _)| known == stat).map(|(_, seen)| seen)
    }

    /// Remembers a file that was read after `now`, unless it may be changed without a trace.
    pub fn insert(&mut self, path: &Path, stat: Stat, seen: Seen, now: i128) {
        if stat.modified.max(stat.changed) + STEP < now {
            self.0.insert(path.to_owned(), (stat, seen));
        }
    }

    /// As bytes that [`Known::read`] understands.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let records = self.0.iter().map(|(path, (stat, seen))| {
            let key = if seen.is_key { "key" } else { "" };
            let numbers = [
                stat.size.to_string(),
                stat.modified.to_string(),
                stat.changed.to_string(),
                stat.inode.to_string(),
            ];
            let [size, modified, changed, inode] = numbers.map(String::into_bytes);
            let path = path.as_os_str().as_bytes().to_vec();
            [path, size, modified, changed, inode, seen.digest.clone().into(), key.into()]
        });
        records::write(PURPOSE, records)
    }

    /// Reads what was kept; nothing is known where that is damaged.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let records = records::read::<7>(PURPOSE, bytes).unwrap_or_default();
        let entry = |[path, size, modified, changed, inode, digest, key]: [&[u8]; 7]| {
            let stat = Stat {
                size: number(size)?,
                modified: number(modified)?,
                changed: number(changed)?,
                inode: number(inode)?,
            };
            let digest = std::str::from_utf8(digest).ok()?.to_owned();
            let path = PathBuf::from(std::ffi::OsString::from_vec(path.to_vec()));
            Some((path, (stat, Seen { digest, is_key: key == b"key" })))
        };
        Self(records.into_iter().filter_map(entry).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i128 = 1_000_000_000;

    fn stat() -> Stat {
        Stat { size: 3, modified: 10 * SECOND, changed: 20 * SECOND, inode: 7 }
    }

    fn known(now: i128) -> Known {
        let mut known = Known::default();
        let seen = Seen { digest: "d".to_owned(), is_key: true };
        known.insert(Path::new("a"), stat(), seen, now);
        known
    }

    #[test]
    fn a_file_is_known_until_anything_about_it_changes() {
        let known = Known::read(&known(23 * SECOND).write());
        let knows = |stat| known.get(Path::new("a"), &stat).is_some();
        assert!(knows(stat()));
        assert!(known.get(Path::new("a"), &stat()).unwrap().is_key);
        assert!(!knows(Stat { size: 4, ..stat() }));
        assert!(!knows(Stat { modified: 1, ..stat() }));
        assert!(!knows(Stat { changed: 1, ..stat() }));
        assert!(!knows(Stat { inode: 1, ..stat() }));
        assert!(known.get(Path::new("b"), &stat()).is_none());
    }

    #[test]
    fn a_file_that_changed_just_now_is_read_again() {
        assert_eq!(known(21 * SECOND), Known::default());
        assert_eq!(known(22 * SECOND), Known::default());
        assert_ne!(known(22 * SECOND + 1), Known::default());
    }
}
