//! Files that a report leaves behind: either whole or not there.

use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write {path}")]
pub struct Error {
    /// Where.
    path: PathBuf,
    /// Why.
    source: io::Error,
}

impl Error {
    /// What kept a path from being written.
    #[must_use]
    pub fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_owned(), source }
    }
}

/// Writes a file beside its place and then moves it there, so that nobody ever reads half of it.
///
/// # Errors
/// When its directory cannot be made or written to.
pub fn write(path: &Path, content: &str) -> Result<(), Error> {
    let written = || {
        let mut draft = Draft::create(path)?;
        draft.write_all(content.as_bytes())?;
        draft.keep()
    };
    written().map_err(|source| Error::new(path, source))
}

/// A file that is being written, packed where its name ends in `.gz`. One that is dropped was
/// never there.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Plain(BufWriter<NamedTempFile>),
    Packed(GzEncoder<BufWriter<NamedTempFile>>),
    Standard(io::Stdout),
}

impl Draft {
    /// A file for a path, or standard output for `-`.
    ///
    /// # Errors
    /// When the path's directory cannot be made or written to.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self { path: path.to_owned(), target: Target::Standard(io::stdout()) });
        }
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(directory)?;
        let file = tempfile::Builder::new().permissions(readable()).tempfile_in(directory)?;
        let file = BufWriter::new(file);
        let target = match path.extension().is_some_and(|ending| ending == "gz") {
            true => Target::Packed(GzEncoder::new(file, Compression::default())),
            false => Target::Plain(file),
        };
        Ok(Self { path: path.to_owned(), target })
    }

    /// Moves it to its place.
    ///
    /// # Errors
    /// When the rest of it cannot be written, or the place is taken by a directory.
    pub fn keep(self) -> io::Result<()> {
        let file = match self.target {
            Target::Plain(file) => file,
            Target::Packed(encoder) => encoder.finish()?,
            Target::Standard(mut out) => return out.flush(),
        };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.target {
            Target::Plain(file) => file.write(bytes),
            Target::Packed(encoder) => encoder.write(bytes),
            Target::Standard(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            // A packed file is flushed once, at its end, or it would grow.
            Target::Plain(_) | Target::Packed(_) => Ok(()),
            Target::Standard(out) => out.flush(),
        }
    }
}
/// As files are usually made, less what the process's umask takes.
fn readable() -> Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}
