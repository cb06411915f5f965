//! The files of the commit that is checked out, whatever stands in the working tree.
//!
//! They come as git keeps them: filters, such as those of Git LFS, are not applied.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use git2::{Blob, ErrorCode, Oid, Repository, Tree};

use super::content::{place, set_mode};
use super::{Error, Listing, git};
use crate::pure::left_out::Reason;
use crate::pure::tree::{may_hold, stays_inside};

/// Modes of files and links in a git tree.
const EXECUTABLE: i32 = 0o100_755;
const LINK: i32 = 0o120_000;

/// Writes the files of a project's commit into a folder, made for it, and lists them there.
pub(super) fn export(project: &Path, folder: &Path) -> Result<Listing, Error> {
    let none = || Error::NoCommit { path: project.to_owned() };
    let failed = |error| Error::of_git(project, error);
    let (repository, prefix) = git::open(project)?.ok_or_else(none)?;
    let revision = git::revision(&repository, false).ok_or_else(none)?;
    let commit = repository.head().and_then(|head| head.peel_to_commit()).map_err(failed)?;
    let listing =
        Listing { folder: folder.to_owned(), revision: Some(revision), ..Listing::default() };
    fs::create_dir_all(folder)
        .map_err(|source| Error::Write { path: folder.to_owned(), source })?;
    let mut export = Export { project, listing, links: Vec::new() };
    let tree = commit.tree().map_err(failed)?;
    let tree = match prefix.as_os_str().is_empty() {
        true => tree,
        false => {
            let entry = tree.get_path(&prefix).map_err(|_| none())?;
            repository.find_tree(entry.id()).map_err(failed)?
        }
    };
    export.tree(&repository, &tree, &prefix, Path::new(""))?;
    export.finish()
}

struct Export<'a> {
    project: &'a Path,
    listing: Listing,
    /// Links, made last: so no file is ever written through one.
    links: Vec<(PathBuf, PathBuf)>,
}

impl Export<'_> {
    /// Writes a tree that is at `path` of its repository below `at`.
    fn tree(
        &mut self,
        repository: &Repository,
        tree: &Tree<'_>,
        path: &Path,
        at: &Path,
    ) -> Result<(), Error> {
        let failed = |error| Error::of_git(self.project, error);
        for entry in tree {
            let name = OsStr::from_bytes(entry.name_bytes());
            let (path, at) = (path.join(name), at.join(name));
            if !may_hold(&at) || Path::new(name).components().count() != 1 {
                continue;
            }
            match entry.kind() {
                Some(git2::ObjectType::Tree) => {
                    let inner = repository.find_tree(entry.id()).map_err(failed)?;
                    self.tree(repository, &inner, &path, &at)?;
                }
                Some(git2::ObjectType::Blob) => {
                    let blob = repository.find_blob(entry.id()).map_err(failed)?;
                    self.blob(&blob, entry.filemode(), at)?;
                }
                Some(git2::ObjectType::Commit) => {
                    self.submodule(repository, entry.id(), &path, &at)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn blob(&mut self, blob: &Blob<'_>, mode: i32, at: PathBuf) -> Result<(), Error> {
        let to = place(&self.listing.folder, &at)?;
        if mode == LINK {
            let target = PathBuf::from(OsStr::from_bytes(blob.content()));
            match stays_inside(&at, &target) {
                true => self.links.push((at, target)),
                false => self.listing.left_out.add(at, Reason::OutsideLink),
            }
            return Ok(());
        }
        let failed = |source| Error::Write { path: to.clone(), source };
        let mut file = fs::File::create_new(&to).map_err(failed)?;
        file.write_all(blob.content()).map_err(failed)?;
        set_mode(&file, mode == EXECUTABLE).map_err(failed)?;
        self.listing.paths.insert(at, true);
        Ok(())
    }

    fn submodule(
        &mut self,
        repository: &Repository,
        commit: Oid,
        path: &Path,
        at: &Path,
    ) -> Result<(), Error> {
        let failed = |error| Error::of_git(self.project, error);
        let folder = repository.workdir().unwrap_or(Path::new("")).join(path);
        let is_missing = |error: &git2::Error| error.code() == ErrorCode::NotFound;
        let inner = match Repository::open(&folder) {
            Err(error) if is_missing(&error) => None,
            inner => Some(inner.map_err(failed)?),
        };
        let tree = inner.as_ref().map(|inner| inner.find_commit(commit).and_then(|it| it.tree()));
        match (&inner, tree) {
            (Some(inner), Some(Ok(tree))) => self.tree(inner, &tree, Path::new(""), at),
            (_, Some(Err(error))) if !is_missing(&error) => Err(failed(error)),
            _ => {
                self.listing.left_out.add(at.to_owned(), Reason::Submodule);
                Ok(())
            }
        }
    }

    fn finish(mut self) -> Result<Listing, Error> {
        for (at, target) in self.links {
            let to = self.listing.folder.join(&at);
            symlink(target, &to).map_err(|source| Error::Write { path: to, source })?;
            self.listing.paths.insert(at, true);
        }
        Ok(self.listing)
    }
}
