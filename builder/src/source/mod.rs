//! Reading a checkout once: what git tracks as it stands, and what is untracked and not ignored.
//!
//! Everything after this works on the copy, so a checkout that is switched a second later
//! changes nothing.

pub mod archive;
mod copy;
mod git;
mod walk;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use muletrain_proto::snapshot::Revision;

use crate::pure::tree::Manifest;

/// A project's files, copied.
#[derive(Debug)]
pub struct Source {
    /// Folder the copy is in.
    pub folder: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// What git says of it; none outside git.
    pub revision: Option<Revision>,
    /// What was left out, in words.
    pub notes: Vec<String>,
}

/// Why a checkout cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such folder.
    #[error("{} is not a folder", path.display())]
    NoFolder {
        /// As given.
        path: PathBuf,
    },
    /// Git's data cannot be read.
    #[error("cannot read the git repository of {}", path.display())]
    Git {
        /// The project.
        path: PathBuf,
        /// Why.
        source: git2::Error,
    },
    /// A file or folder of the project cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The copy cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody switched the checkout while it was read.
    #[error("{} was switched to another commit while it was read; try again", path.display())]
    Switched {
        /// The project.
        path: PathBuf,
    },
}

/// Paths of a project, relative to it, and whether git tracks each.
#[derive(Debug, Default)]
struct Listing {
    paths: BTreeMap<PathBuf, bool>,
    revision: Option<Revision>,
    notes: Vec<String>,
}

/// Copies the files of a project into an empty folder.
///
/// # Errors
/// When the checkout cannot be read, or the copy cannot be written.
pub fn read(project: &Path, folder: &Path) -> Result<Source, Error> {
    let head = git::head(project)?;
    let listing = list(project)?;
    let (manifest, notes) = copy::copy(project, &listing.paths, folder)?;
    if git::head(project)? != head {
        return Err(Error::Switched { path: project.to_owned() });
    }
    let notes = listing.notes.into_iter().chain(notes).collect();
    Ok(Source { folder: folder.to_owned(), manifest, revision: listing.revision, notes })
}

/// Paths of the project's files whose names are UTF-8, without reading the files.
///
/// # Errors
/// When the checkout cannot be read.
pub fn paths(project: &Path) -> Result<Vec<String>, Error> {
    let listing = list(project)?;
    let there =
        |path: &&PathBuf| project.join(path).symlink_metadata().is_ok_and(|it| it.is_file());
    let paths = listing.paths.keys().filter(there);
    Ok(paths.filter_map(|path| path.to_str().map(str::to_owned)).collect())
}

fn list(project: &Path) -> Result<Listing, Error> {
    if !project.is_dir() {
        return Err(Error::NoFolder { path: project.to_owned() });
    }
    match git::list(project)? {
        Some(listing) => Ok(listing),
        None => walk::list(project),
    }
}

#[cfg(test)]
mod tests;
