//! The copies and virtual environments of a cache: what there is, and its removal.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::{Cache, Error};
use crate::pure::collection::{Handle, Item};

/// Lists the copies of trees and the virtual environments of a cache.
///
/// # Errors
/// When the cache cannot be read.
pub fn list(cache: &Cache) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    for folder in [cache.trees(), cache.environments()] {
        let failed = |source| Error::Cache { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // Another builder may be removing it.
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if !metadata.is_dir() {
                continue;
            }
            items.push(Item {
                name: path.display().to_string(),
                size: size(&path),
                layers: Vec::new(),
                used: metadata.modified().map_err(failed)?,
                in_use: is_being_made(&path),
                handle: Handle::Folder(path),
            });
        }
    }
    Ok(items)
}

/// Removes a folder, under another name first: half of it is never taken for the whole.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(cache: &Cache, path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Cache { path: path.to_owned(), source };
    let away = cache.staging()?;
    match fs::rename(path, away.path().join("removed")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        _ => away.close().map_err(failed),
    }
}

/// Whether a builder holds the lock of a virtual environment.
fn is_being_made(path: &Path) -> bool {
    let lock = File::open(path.with_extension("lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Bytes of all files in a folder; what cannot be read counts for nothing.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
