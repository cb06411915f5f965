//! Parts of images as files: those that were made here are kept for a while, since an engine
//! gives them back only with all of their image.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use muletrain_proto::blob::Digest;
use muletrain_proto::client::parts::Part;

/// Keeps a part in a folder, under its digest. Failing at that only makes sending it slower.
pub fn keep(folder: &Path, bytes: &[u8]) {
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path(folder, Digest::of(bytes))).map_err(std::io::Error::from)
    };
    if let Err(error) = write() {
        tracing::warn!(path = %folder.display(), %error, "cannot keep a part of an image");
    }
}

/// A part that is kept in a folder. It stays for as long as it is used.
#[must_use]
pub fn find(folder: &Path, digest: Digest) -> Option<Part> {
    let path = path(folder, digest);
    let file = fs::File::open(&path).ok()?;
    // An old one may be removed a little too early.
    let _ = file.set_modified(SystemTime::now());
    Some(Part { size: file.metadata().ok()?.len(), path, start: 0 })
}

fn path(folder: &Path, digest: Digest) -> PathBuf {
    folder.join(digest.hexadecimal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_by_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), b"layer");
        assert_eq!(find(folder.path(), Digest::of(b"other")), None);
        let part = find(folder.path(), Digest::of(b"layer")).unwrap();
        assert_eq!((part.start, part.size), (0, 5));
        assert_eq!(fs::read(part.path).unwrap(), b"layer");
    }
}
