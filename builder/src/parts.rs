//! Parts of images as files: those that were made here are kept for a while, since an engine
//! gives them back only with all of their image.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use futures_util::{Stream, StreamExt};
use muletrain_proto::blob::{Digest, PIECE_LIMIT};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

/// A part of an image: some bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The file.
    pub path: PathBuf,
    /// Where in it the part begins.
    pub start: u64,
    /// Bytes it has.
    pub size: u64,
}

impl Part {
    /// Its bytes from an offset on. They end early where the file cannot be read.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn pieces(
        &self,
        offset: u64,
    ) -> std::io::Result<impl Stream<Item = Vec<u8>> + Send + 'static> {
        let mut file = tokio::fs::File::open(&self.path).await?;
        file.seek(std::io::SeekFrom::Start(self.start.saturating_add(offset))).await?;
        let rest = file.take(self.size.saturating_sub(offset));
        let pieces = ReaderStream::with_capacity(rest, PIECE_LIMIT / 2);
        Ok(pieces.filter_map(|piece| async { piece.ok().map(|bytes| bytes.to_vec()) }))
    }
}

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

    #[tokio::test]
    async fn what_is_kept_is_found_by_its_digest_and_read_from_an_offset() {
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), b"layer");
        assert_eq!(find(folder.path(), Digest::of(b"other")), None);
        let part = find(folder.path(), Digest::of(b"layer")).unwrap();
        assert_eq!(part.size, 5);
        let inner = Part { start: 1, size: 3, ..part };
        let pieces: Vec<Vec<u8>> = inner.pieces(1).await.unwrap().collect().await;
        assert_eq!(pieces.concat(), b"ye");
    }
}
