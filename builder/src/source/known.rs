//! Where it is kept what the files of a project were when they were last read.

use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::pure::digest::Digest;
use crate::pure::stat::Known;

/// What is known of a project's files, and the file that says so.
pub(super) struct Kept {
    pub known: Known,
    file: Option<PathBuf>,
}

impl Kept {
    /// Loads what is kept in a folder of the files of a project; nothing without a folder.
    pub(super) fn load(folder: Option<&Path>, project: &Path) -> Self {
        let name = Digest::new("muletrain project 1").field(project.as_os_str().as_bytes());
        let file = folder.map(|folder| folder.join(name.finish()));
        let bytes = file.as_ref().and_then(|file| fs::read(file).ok());
        Self { known: bytes.map(|bytes| Known::read(&bytes)).unwrap_or_default(), file }
    }

    /// Keeps what is known by now. Failing at that only makes the next reading slower.
    pub(super) fn replace(self, known: &Known) {
        let Some(file) = self.file.filter(|_| self.known != *known) else { return };
        let write = || {
            let folder = file.parent().unwrap_or(Path::new("/"));
            let mut whole = tempfile::NamedTempFile::new_in(folder)?;
            whole.write_all(&known.write())?;
            whole.persist(&file).map_err(std::io::Error::from)
        };
        if let Err(error) = write() {
            tracing::warn!(path = %file.display(), %error, "cannot keep what files were read");
        }
    }
}
