//! One upload: pieces go to a file of their own until all are there and their digest is right.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::sync::Arc;

use muletrain_proto::blob::{Hash, Upload};

use super::Error;
use super::store::{Store, open_private};
use super::turns::Turn;

/// Bytes read at once.
const BUFFER: usize = 128 << 10;

/// A blob that is arriving. What has arrived when this is dropped stays, to be gone on with.
///
/// It holds the turn to send the blob, so whoever writes into the file does so alone.
#[derive(Debug)]
pub struct Receiving {
    store: Arc<Store>,
    upload: Upload,
    file: File,
    hash: Hash,
    /// Bytes there are, those of earlier tries among them.
    written: u64,
    _turn: Turn,
}

impl Receiving {
    pub(super) fn open(store: Arc<Store>, turn: Turn, upload: Upload) -> Result<Self, Error> {
        let path = store.unfinished(&upload.digest);
        let opened = open_private(&path)
            .and_then(|mut file| Ok((hash_first(&mut file, upload.offset)?, file)));
        match opened {
            Ok((hash, file)) => {
                let written = upload.offset;
                Ok(Self { store, upload, file, hash, written, _turn: turn })
            }
            Err(source) => {
                store.release(&upload.digest, 0);
                Err(Error::Disk { path, source })
            }
        }
    }

    /// Takes in what follows.
    ///
    /// # Errors
    /// When it is more than was said, or cannot be written.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        let Upload { digest, size, .. } = self.upload;
        let written = self.written.saturating_add(piece.len() as u64);
        if written > size {
            self.throw_away();
            return Err(Error::Long { digest, size });
        }
        self.file.write_all(piece).map_err(|source| self.failed(source))?;
        self.hash.update(piece);
        self.written = written;
        Ok(())
    }

    /// Makes a blob of what has arrived.
    ///
    /// # Errors
    /// When something is missing, or it is something else.
    pub fn finish(mut self) -> Result<(), Error> {
        let Upload { digest, size, .. } = self.upload;
        if self.written < size {
            return Err(Error::Short { digest, had: self.written, size });
        }
        let found = self.hash.clone().finish();
        if found != digest {
            self.throw_away();
            return Err(Error::Other { digest, found });
        }
        // The name must not be on the disk before the bytes are.
        self.file.sync_all().map_err(|source| self.failed(source))?;
        self.store.keep(digest, size)
    }

    fn throw_away(&mut self) {
        self.written = 0;
        // What cannot be removed is overwritten by the next upload.
        let _ = fs::remove_file(self.store.unfinished(&self.upload.digest));
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Disk { path: self.store.unfinished(&self.upload.digest), source }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        if self.written == 0 {
            // Nothing is left to be gone on with; what was made a blob of is elsewhere.
            self.throw_away();
        }
        self.store.release(&self.upload.digest, self.written);
    }
}

/// Reads the first bytes of a file, and cuts off what follows them.
fn hash_first(file: &mut File, length: u64) -> io::Result<Hash> {
    file.set_len(length)?;
    let (mut hash, mut buffer) = (Hash::default(), vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash),
            read => hash.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}
