//! What git knows of a project: its files, its commit.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid, Repository, StatusOptions};
use muletrain_proto::snapshot::Revision;

use super::{Error, Listing, closed};
use crate::pure::left_out::Reason;

/// Mode of an index entry that is a submodule.
pub(super) const SUBMODULE: u32 = 0o160_000;

/// Lists what git tracks of a folder and what is untracked and not ignored; none outside git.
pub(super) fn list(project: &Path) -> Result<Option<Listing>, Error> {
    let failed = |error| Error::of_git(project, error);
    let Some((repository, prefix)) = open(project)? else { return Ok(None) };
    let mut listing =
        Listing { folder: project.to_owned(), is_checkout: true, ..Listing::default() };
    let dirty = add(&repository, &prefix, Path::new(""), &mut listing).map_err(failed)?;
    listing.revision = revision(&repository, dirty);
    Ok(Some(listing))
}

/// What git ignores of a folder; nothing outside git.
pub(super) fn ignored(project: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |error| Error::of_git(project, error);
    let Some((repository, prefix)) = open(project)? else { return Ok(Vec::new()) };
    let statuses = repository.statuses(Some(untracked(&prefix).include_ignored(true)));
    let statuses = statuses.map_err(failed)?;
    let ignored = statuses.iter().filter(|entry| entry.status().is_ignored());
    let paths = ignored.filter_map(|entry| {
        let path = Path::new(OsStr::from_bytes(entry.path_bytes()));
        path.strip_prefix(&prefix).ok().map(Path::to_owned)
    });
    Ok(paths.collect())
}

/// The commit that is checked out; none outside git and before the first commit.
pub(super) fn head(project: &Path) -> Result<Option<Oid>, Error> {
    let Some((repository, _)) = open(project)? else { return Ok(None) };
    Ok(commit_of(&repository))
}

/// The repository a folder is in and its path in there; none where git ignores the folder.
pub(super) fn open(project: &Path) -> Result<Option<(Repository, PathBuf)>, Error> {
    let failed = |error| Error::of_git(project, error);
    let repository = match Repository::discover(project) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let real = |path: &Path| {
        path.canonicalize().map_err(|source| Error::Read { path: path.to_owned(), source })
    };
    let Some(top) = repository.workdir().map(real).transpose()? else { return Ok(None) };
    let Ok(prefix) = real(project)?.strip_prefix(&top).map(Path::to_owned) else {
        return Ok(None);
    };
    let inside = !prefix.as_os_str().is_empty();
    if inside && repository.is_path_ignored(&prefix).map_err(failed)? {
        return Ok(None);
    }
    Ok(Some((repository, prefix)))
}

/// Adds a repository's files below `prefix`, as paths below `at`. Returns whether they differ
/// from its commit.
fn add(
    repository: &Repository,
    prefix: &Path,
    at: &Path,
    listing: &mut Listing,
) -> Result<bool, git2::Error> {
    let mut dirty = false;
    for entry in repository.index()?.iter() {
        let path = Path::new(OsStr::from_bytes(&entry.path)).to_owned();
        let Ok(relative) = path.strip_prefix(prefix) else { continue };
        match entry.mode {
            SUBMODULE => {
                dirty |= add_submodule(repository, &path, entry.id, &at.join(relative), listing)?;
            }
            _ => drop(listing.paths.insert(at.join(relative), true)),
        }
    }
    let statuses = repository.statuses(Some(&mut untracked(prefix)))?;
    for status in statuses.iter() {
        let path = Path::new(OsStr::from_bytes(status.path_bytes()));
        let Ok(relative) = path.strip_prefix(prefix) else { continue };
        if !status.status().is_wt_new() {
            continue;
        }
        if status.path_bytes().ends_with(b"/") {
            listing.left_out.add(at.join(relative), Reason::Repository);
            continue;
        }
        listing.paths.entry(at.join(relative)).or_insert(false);
    }
    closed::add(repository, prefix, at, listing);
    Ok(dirty || !statuses.is_empty())
}

/// Adds a submodule's files. Returns whether they differ from what the repository's commit names;
/// `staged` is the commit that its index names.
fn add_submodule(
    repository: &Repository,
    path: &Path,
    staged: Oid,
    at: &Path,
    listing: &mut Listing,
) -> Result<bool, git2::Error> {
    let folder = repository.workdir().unwrap_or(Path::new("")).join(path);
    match Repository::open(&folder) {
        Ok(inner) => {
            let stands = |commit: Option<Oid>| commit == Some(staged);
            let moved = !stands(commit_of(&inner)) || !stands(submodule(repository, path));
            Ok(add(&inner, Path::new(""), at, listing)? || moved)
        }
        Err(error) if error.code() == ErrorCode::NotFound => {
            listing.left_out.add(at.to_owned(), Reason::Submodule);
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// The commit of a submodule that the commit of its repository names.
fn submodule(repository: &Repository, path: &Path) -> Option<Oid> {
    let tree = repository.head().ok()?.peel_to_tree().ok()?;
    tree.get_path(path).ok().map(|entry| entry.id())
}

fn commit_of(repository: &Repository) -> Option<Oid> {
    repository.head().ok()?.target()
}

fn untracked(prefix: &Path) -> StatusOptions {
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).exclude_submodules(true);
    if !prefix.as_os_str().is_empty() {
        options.pathspec(prefix.as_os_str()).disable_pathspec_match(true);
    }
    options
}

/// What git says of the commit that is checked out; none before the first one.
pub(super) fn revision(repository: &Repository, dirty: bool) -> Option<Revision> {
    let head = repository.head().ok()?;
    let commit = head.target()?.to_string();
    let branch = head.is_branch().then(|| String::from_utf8_lossy(head.shorthand_bytes()).into());
    Some(Revision { commit, branch, dirty })
}
