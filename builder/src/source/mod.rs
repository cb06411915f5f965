//! Reading a checkout: what git tracks as it stands, and what is untracked and not ignored.
//!
//! A [`Source`] says what every file is, by its digest. Content is read when it is needed, and
//! is checked against that digest: a file that has changed since is an error, never a mixture,
//! and a checkout that is switched once the snapshot is there changes nothing.

pub mod archive;
mod closed;
mod commit;
mod content;
mod git;
mod known;
mod scan;
mod walk;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use muletrain_proto::snapshot::Revision;

use crate::pure::left_out::{LeftOut, few};
use crate::pure::tree::Manifest;

/// A project's files.
#[derive(Debug, Clone)]
pub struct Source {
    /// Folder they are in.
    pub folder: PathBuf,
    /// What they are.
    pub manifest: Manifest,
    /// What git says of them; none outside git.
    pub revision: Option<Revision>,
    /// What stays out.
    pub left_out: LeftOut,
    /// Files that git tracks and that look like private keys.
    pub keys: Vec<PathBuf>,
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
    /// Its index is of a kind that only git itself reads.
    #[error(
        "cannot read the git repository of {0}: it has a sparse index; write it out with git -C \
         {0} sparse-checkout reapply --no-sparse-index",
        path.display()
    )]
    SparseIndex {
        /// The project.
        path: PathBuf,
    },
    /// Git does not trust a repository of somebody else.
    #[error(
        "cannot read the git repository of {0}: it belongs to another user; if you trust it, run \
         git config --global --add safe.directory {0}",
        top.display()
    )]
    Owner {
        /// The folder of the repository.
        top: PathBuf,
    },
    /// There is no commit to read.
    #[error("{} has no commit; leave out --committed to take the files as they are", path.display())]
    NoCommit {
        /// The project.
        path: PathBuf,
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
    /// Somebody writes a file while it is read.
    #[error(
        "{} keeps changing while it is read; wait for what writes it, or let git ignore it",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    /// What an error of git means for a project.
    fn of_git(project: &Path, source: git2::Error) -> Self {
        let path = project.to_owned();
        match (source.class(), source.code()) {
            (_, git2::ErrorCode::Owner) => {
                let real = project.canonicalize().unwrap_or(path);
                let top = real.ancestors().find(|folder| folder.join(".git").exists());
                Self::Owner { top: top.unwrap_or(&real).to_owned() }
            }
            (git2::ErrorClass::Index, _) if source.message().contains("'sdir'") => {
                Self::SparseIndex { path }
            }
            _ => Self::Git { path, source },
        }
    }

    /// Whether reading once more may help.
    #[must_use]
    pub fn is_change(&self) -> bool {
        matches!(self, Self::Switched { .. } | Self::Changed { .. })
    }
}

/// Which files a project has, before any of them is read.
#[derive(Debug, Default)]
pub struct Listing {
    folder: PathBuf,
    /// Paths relative to the folder, and whether git tracks each.
    paths: BTreeMap<PathBuf, bool>,
    revision: Option<Revision>,
    left_out: LeftOut,
    /// Whether they are those of a checkout, which may be switched meanwhile.
    is_checkout: bool,
}

impl Listing {
    /// Paths of the files whose names are UTF-8.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let is_file = |path: &&PathBuf| {
            self.folder.join(path).symlink_metadata().is_ok_and(|it| it.is_file())
        };
        let paths = self.paths.keys().filter(is_file);
        paths.filter_map(|path| path.to_str().map(str::to_owned)).collect()
    }

    /// Reads the files, except those that `cache` knows from before. Without a folder for that,
    /// all are read.
    ///
    /// # Errors
    /// When the checkout cannot be read, or is switched meanwhile.
    pub fn read(self, cache: Option<&Path>) -> Result<Source, Error> {
        let folder = self.folder.clone();
        let is_checkout = self.is_checkout;
        let source = scan::scan(self, cache)?;
        let commit = source.revision.as_ref().map(|revision| revision.commit.as_str());
        let stands = || Ok::<_, Error>(git::head(&folder)?.map(|commit| commit.to_string()));
        match is_checkout && stands()?.as_deref() != commit {
            true => Err(Error::Switched { path: folder }),
            false => Ok(source),
        }
    }
}

/// Lists the files of a project as they stand, or, where `committed`, those of its commit, which
/// are written to `folder` for it.
///
/// # Errors
/// When there is no such folder or no commit, or git's data cannot be read.
pub fn list_or_export(project: &Path, committed: bool, folder: &Path) -> Result<Listing, Error> {
    match committed {
        false => list(project),
        true => commit::export(project, folder),
    }
}

/// Lists the files of a project as they stand.
///
/// # Errors
/// When there is no such folder, or git's data cannot be read.
pub fn list(project: &Path) -> Result<Listing, Error> {
    if !project.is_dir() {
        return Err(Error::NoFolder { path: project.to_owned() });
    }
    match git::list(project)? {
        Some(listing) => Ok(listing),
        None => walk::list(project),
    }
}

/// What git ignores in a project, whole folders as one; nothing outside git.
///
/// # Errors
/// When git's data cannot be read.
pub fn ignored(project: &Path) -> Result<Vec<PathBuf>, Error> {
    git::ignored(project)
}

impl Source {
    /// What a user should hear of what is in it and what is not.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let keys = (!self.keys.is_empty()).then(|| {
            let keys = few(&self.keys);
            format!("tracked by git, so in the snapshot, and private keys by their look: {keys}")
        });
        self.left_out.notes().into_iter().chain(keys).collect()
    }
}

#[cfg(test)]
mod tests;
