//! Finding a project's configuration on disk.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Config, Error, FILE, parse, parse_pyproject};

/// A project's configuration and where it came from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The configuration; its defaults where there is none.
    pub config: Config,
    /// The file that holds it.
    pub path: Option<PathBuf>,
}

/// Reads the configuration of the project in a folder: `muletrain.toml`, else
/// `[tool.muletrain]` of `pyproject.toml`, else the defaults.
///
/// # Errors
/// When a file is there and cannot be read, or what stands in it is wrong.
pub fn find(dir: &Path) -> Result<Found, Error> {
    let path = dir.join(FILE);
    if let Some(text) = read(&path)? {
        let config = parse(&text, &path.display().to_string())?;
        return Ok(Found { config, path: Some(path) });
    }
    let path = dir.join("pyproject.toml");
    let Some(text) = read(&path)? else { return Ok(Found::default()) };
    Ok(match parse_pyproject(&text, &path.display().to_string())? {
        Some(config) => Found { config, path: Some(path) },
        None => Found::default(),
    })
}

fn read(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
}
