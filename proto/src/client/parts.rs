//! Parts of images in files, and sending them to a scheduler over connections that break.

use std::collections::BTreeMap;
use std::io::{self, Read, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tar::Archive;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_stream::{Stream, StreamExt};
use tokio_util::io::ReaderStream;

use super::blobs::{self, Blobs};
use crate::blob::{Digest, Hash, PIECE_LIMIT, Upload};

/// Bytes read at once.
const BUFFER: usize = 128 << 10;

/// Times that sending goes on after the connection broke, without anything sent in between.
const TRIES: u32 = 8;

/// Time before the first of them; it doubles each time.
const PAUSE: Duration = Duration::from_millis(200);

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

/// Why a part is not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The scheduler cannot be reached, or refuses.
    #[error(transparent)]
    Scheduler(#[from] blobs::Error),
    /// A file that was just written.
    #[error("cannot read {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Part {
    /// Its bytes from an offset on. They end early where the file cannot be read.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn pieces(
        &self,
        offset: u64,
    ) -> io::Result<impl Stream<Item = Vec<u8>> + Send + use<>> {
        let mut file = tokio::fs::File::open(&self.path).await?;
        file.seek(SeekFrom::Start(self.start.saturating_add(offset))).await?;
        let rest = file.take(self.size.saturating_sub(offset));
        let pieces = ReaderStream::with_capacity(rest, PIECE_LIMIT / 2);
        Ok(pieces.filter_map(|piece| piece.ok().map(|bytes| bytes.to_vec())))
    }

    /// Sends it, however often the connection breaks meanwhile.
    ///
    /// # Errors
    /// When the scheduler does not take it, or the file cannot be read.
    pub async fn send(&self, digest: Digest, blobs: &mut Blobs) -> Result<(), Error> {
        let (mut failures, mut sent) = (0, 0);
        loop {
            let error = match self.try_to_send(digest, blobs, &mut sent).await {
                Err(Error::Scheduler(error)) if error.is_passing() => error,
                result => return result,
            };
            // The scheduler says how much of it arrived; only then it is known to have helped.
            let before = sent;
            if let Ok(had) = blobs.had(digest).await {
                sent = had;
            }
            failures = if sent > before { 0 } else { failures + 1 };
            if failures == TRIES {
                return Err(error.into());
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(failures.min(5))).await;
        }
    }

    async fn try_to_send(
        &self,
        digest: Digest,
        blobs: &mut Blobs,
        sent: &mut u64,
    ) -> Result<(), Error> {
        let size = self.size;
        *sent = blobs.had(digest).await?.min(size);
        let upload = Upload { digest, size, offset: *sent };
        let pieces = self.pieces(*sent).await;
        let pieces = pieces.map_err(|source| Error::File { path: self.path.clone(), source })?;
        Ok(blobs.put(upload, pieces).await?)
    }
}

/// Every file of an archive, by its digest: what a part of an image is called there differs from
/// engine to engine, and its digest does not.
///
/// # Errors
/// When it cannot be read.
pub fn of_archive(path: &Path) -> io::Result<BTreeMap<Digest, Part>> {
    let mut archive = Archive::new(std::fs::File::open(path)?);
    let (mut found, mut buffer) = (BTreeMap::new(), vec![0; BUFFER]);
    for entry in archive.entries_with_seek()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let mut hash = Hash::default();
        loop {
            match entry.read(&mut buffer)? {
                0 => break,
                read => hash.update(buffer.get(..read).unwrap_or_default()),
            }
        }
        let (start, size) = (entry.raw_file_position(), entry.size());
        found.insert(hash.finish(), Part { path: path.to_owned(), start, size });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_are_found_by_what_they_hold_and_read_from_an_offset() {
        let folder = std::env::temp_dir().join(format!("muletrain-parts-{}", std::process::id()));
        let mut archive = tar::Builder::new(std::fs::File::create(&folder).unwrap());
        for (name, bytes) in [("a/layer.tar", &b"layer"[..]), ("b.json", &b"{}"[..])] {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, name, bytes).unwrap();
        }
        archive.finish().unwrap();

        let found = of_archive(&folder).unwrap();
        let part = &found[&Digest::of(b"layer")];
        assert_eq!((found.len(), part.size), (2, 5));
        let pieces: Vec<Vec<u8>> = part.pieces(2).await.unwrap().collect().await;
        assert_eq!(pieces.concat(), b"yer");
        std::fs::remove_file(&folder).unwrap();
    }
}
