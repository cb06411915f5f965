//! Keeps the journal of a watched run, so that it can be reported again.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use muletrain_proto::id::RunId;
use muletrain_proto::journal;

/// Why a journal cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("failed to keep the journal in {path}")]
pub struct Error {
    /// Where.
    path: PathBuf,
    /// Why.
    source: std::io::Error,
}

/// A journal that is being kept.
#[derive(Debug)]
pub struct Saved {
    directory: PathBuf,
    file: File,
}

impl Saved {
    /// Makes the run's directory and its journal, readable by the user alone: what tests print
    /// may be secret. A journal that is there already is never written over.
    ///
    /// # Errors
    /// When the directory cannot be made, or holds a journal.
    pub fn create(directory: &Path, run: &RunId) -> Result<Self, Error> {
        let directory = directory.join(run.as_str());
        let path = directory.join(journal::FILE_NAME);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        let file = made
            .and_then(|()| OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path))
            .map_err(|source| Error { path, source })?;
        // As long as it is open, nobody packs or removes the run. A disk without locks has to do
        // without.
        if let Err(error) = file.try_lock() {
            tracing::debug!("a journal is kept without a lock: {error}");
        }
        Ok(Self { directory, file })
    }

    /// Keeps a line, given without its newline.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn line(&mut self, line: &str) -> Result<(), Error> {
        let path = || self.directory.join(journal::FILE_NAME);
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|source| Error { path: path(), source })
    }

    /// The run's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}
