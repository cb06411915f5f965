//! Untracked folders that may not be looked into: git passes over them without a word.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use git2::Repository;

use super::Listing;
use crate::pure::left_out::Reason;
use crate::pure::tree::may_hold;

/// Adds to what stays out the folders below `prefix` of a repository that cannot be read, as paths
/// below `at`; the rest of what is there is listed already.
pub(super) fn add(repository: &Repository, prefix: &Path, at: &Path, listing: &mut Listing) {
    let Some(top) = repository.workdir() else { return };
    let listed: BTreeSet<&Path> = listing.paths.keys().flat_map(|path| path.ancestors()).collect();
    let is_ignored = |path: &Path| repository.is_path_ignored(path).unwrap_or(false);
    let mut closed = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let (path, placed) = (prefix.join(&folder), at.join(&folder));
        // What git ignores has no file that is listed, unless somebody forced it.
        if !listed.contains(&*placed) && (!may_hold(&placed) || is_ignored(&path)) {
            continue;
        }
        match fs::read_dir(top.join(&path)) {
            Ok(entries) => {
                let inner = entries.flatten().filter(is_plain_folder);
                folders.extend(inner.map(|entry| folder.join(entry.file_name())));
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => closed.push(placed),
            // Somebody may have removed it just now.
            Err(_) => {}
        }
    }
    closed.sort();
    closed.into_iter().for_each(|path| listing.left_out.add(path, Reason::Closed));
}

/// Whether it is a folder, and none of git's nor another repository.
fn is_plain_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_dir())
        && entry.file_name() != OsStr::new(".git")
        && !entry.path().join(".git").exists()
}
