//! Files that a report leaves behind: either whole or not there.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write {path}")]
pub struct Error {
    /// Where.
    path: PathBuf,
    /// Why.
    source: std::io::Error,
}

/// Writes a file beside its place and then moves it there, so that nobody ever reads half of it.
///
/// # Errors
/// When its directory cannot be made or written to.
pub fn write(path: &Path, content: &str) -> Result<(), Error> {
    write_beside(path, content).map_err(|source| Error { path: path.to_owned(), source })
}

fn write_beside(path: &Path, content: &str) -> std::io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::Builder::new().permissions(readable()).tempfile_in(directory)?;
    file.write_all(content.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// As files are usually made, less what the process's umask takes.
fn readable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}
