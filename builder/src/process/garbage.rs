//! The copies and virtual environments of a cache: what there is, and its removal.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::users::Users;
use super::{Cache, Error};
use crate::pure::collection::{Handle, Item};

/// Lists the copies of trees and the virtual environments of a cache.
///
/// # Errors
/// When the cache cannot be read.
pub fn list(cache: &Cache) -> Result<Vec<Item>, Error> {
    let (mut items, users) = (Vec::new(), Users::now());
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
                in_use: is_in_use(cache, &path, &users),
                handle: Handle::Folder(path),
            });
        }
    }
    Ok(items)
}

/// Removes a folder, under another name first: half of it is never taken for the whole. Returns
/// false, and leaves it, where somebody uses it or has used it after `used`.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(cache: &Cache, path: &Path, used: SystemTime) -> Result<bool, Error> {
    let last_use = path.symlink_metadata().and_then(|metadata| metadata.modified());
    if last_use.is_ok_and(|last| last > used) || is_in_use(cache, path, &Users::now()) {
        return Ok(false);
    }
    let failed = |source| Error::Cache { path: path.to_owned(), source };
    let away = cache.staging()?;
    match fs::rename(path, away.path().join("removed")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        _ => away.close().map(|()| true).map_err(failed),
    }
}

/// Whether somebody makes or uses a folder. Agents copy a tree whenever a pod starts, which no
/// process shows in between: so trees stay while a process uses an environment beside them.
fn is_in_use(cache: &Cache, path: &Path, users: &Users) -> bool {
    let beside = path.starts_with(cache.trees()) && users.name(&cache.environments());
    beside || users.name(path) || is_being_made(path)
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

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};
    use std::time::{Duration, Instant};

    use tempfile::TempDir;

    use super::*;

    /// A process that has the path in its environment, once that can be seen.
    fn user(path: &Path) -> Child {
        let child = Command::new("sleep").arg("60").env("VIRTUAL_ENV", path).spawn().unwrap();
        let environment = format!("/proc/{}/environ", child.id());
        let path = path.to_str().unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while !fs::read_to_string(&environment).unwrap().contains(path) {
            assert!(Instant::now() < deadline, "{path} is not seen");
            std::thread::yield_now();
        }
        child
    }

    #[test]
    fn what_a_process_uses_stays_and_the_trees_beside_it() {
        let folder = TempDir::new().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let tree = cache.trees().join("tree");
        let [used, other] = ["used", "other"].map(|name| cache.environments().join(name));
        for path in [&tree, &used, &other] {
            fs::create_dir(path).unwrap();
        }
        let now = SystemTime::now();

        let mut user = user(&used);
        for (path, in_use) in [(&tree, true), (&used, true), (&other, false)] {
            let items = list(&cache).unwrap();
            let item = items.iter().find(|item| item.handle == Handle::Folder(path.clone()));
            assert_eq!(item.unwrap().in_use, in_use, "{}", path.display());
            assert_eq!(remove(&cache, path, now).unwrap(), !in_use, "{}", path.display());
            assert_eq!(path.exists(), in_use, "{}", path.display());
        }

        user.kill().unwrap();
        user.wait().unwrap();
        for path in [&tree, &used] {
            assert!(remove(&cache, path, now).unwrap(), "{}", path.display());
            assert!(!path.exists());
        }
    }

    #[test]
    fn what_was_used_since_it_was_listed_stays() {
        let folder = TempDir::new().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let tree = cache.trees().join("tree");
        fs::create_dir(&tree).unwrap();
        let listed = list(&cache).unwrap()[0].used;
        File::open(&tree).unwrap().set_modified(listed + Duration::from_secs(1)).unwrap();
        assert!(!remove(&cache, &tree, listed).unwrap());
        assert!(tree.exists());
    }
}
