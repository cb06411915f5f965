//! The files of a project that git does not know.

use std::path::Path;

use ignore::{DirEntry, WalkBuilder};

use super::{Error, Listing};

/// Folders that hold no source, whatever the project.
const DERIVED: [&str; 3] = [".git", "__pycache__", "node_modules"];

/// Lists all files that no `.gitignore` names, without virtual environments.
pub(super) fn list(project: &Path) -> Result<Listing, Error> {
    let mut listing = Listing { folder: project.to_owned(), ..Listing::default() };
    let walk = WalkBuilder::new(project)
        .hidden(false)
        .ignore(false)
        .parents(false)
        .git_global(false)
        .require_git(false)
        .filter_entry(is_source)
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| Error::Read {
            path: project.to_owned(),
            source: std::io::Error::other(error),
        })?;
        let Ok(path) = entry.path().strip_prefix(project) else { continue };
        if entry.file_type().is_some_and(|kind| kind.is_file() || kind.is_symlink()) {
            listing.paths.insert(path.to_owned(), false);
        }
    }
    Ok(listing)
}

fn is_source(entry: &DirEntry) -> bool {
    let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    let named = |name: &str| entry.file_name() == std::ffi::OsStr::new(name);
    let environment = || entry.depth() > 0 && entry.path().join("pyvenv.cfg").exists();
    !(folder && (DERIVED.iter().any(|name| named(name)) || environment()))
}
