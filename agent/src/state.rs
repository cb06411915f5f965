//! The agent's folder on this host: nobody else may look into it, and one agent has it at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use muletrain_proto::id::BootId;
use rustix::fs::FlockOperation;

use crate::marks;
use crate::pure::pod::Owner;

/// Folders are for their owner alone.
pub(crate) const PRIVATE_FOLDER: u32 = 0o700;

/// Files are for their owner alone.
pub(crate) const PRIVATE_FILE: u32 = 0o600;

/// The agent's folder, held until this value is dropped.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    _lock: File,
}

/// Why the folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system says no.
    #[error("failed to prepare the agent's folder {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another agent has it.
    #[error(
        "another agent works with {path}; stop it, or give this one another --id (and --state)"
    )]
    Taken {
        /// Which.
        path: PathBuf,
    },
}

impl State {
    /// Makes the folder where needed, and takes it.
    ///
    /// # Errors
    /// When it cannot be made, or another agent has it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Folder { path: path.to_owned(), source };
        make_private_folder(path).map_err(failed)?;
        // What tests see as their root must be the path that resolving links gives.
        let folder = path.canonicalize().map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(PRIVATE_FILE)
            .open(folder.join("lock"))
            .map_err(failed)?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { folder, _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Taken { path: path.to_owned() }),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the host processes of a boot live.
    #[must_use]
    pub fn pods(&self, boot: &BootId) -> PathBuf {
        self.folder.join("pods").join(boot.as_str())
    }

    /// Ends and removes what earlier boots left. While the folder is held, every other boot is dead.
    pub fn remove_earlier(&self, owner: &Owner) {
        let Ok(entries) = fs::read_dir(self.folder.join("pods")) else { return };
        for entry in entries.flatten().filter(|entry| entry.file_name() != owner.boot.as_str()) {
            let boot = entry.file_name().to_str().and_then(|name| BootId::new(name).ok());
            if let Some(boot) = boot {
                let earlier = Owner { agent: owner.agent.clone(), boot };
                marks::kill_all(&earlier.mark_prefix(), marks::Match::Prefix);
            }
            remove_folder(&entry.path());
        }
    }
}

/// A folder that only its owner may enter, with whatever is missing above it.
///
/// # Errors
/// When it cannot be made.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(PRIVATE_FOLDER))
}

/// Removes a folder with all it holds, folders that a test made unwritable included. What cannot
/// be removed is logged: it is no reason to fail.
pub fn remove_folder(path: &Path) {
    if fs::remove_dir_all(path).is_ok() {
        return;
    }
    make_writable(path);
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "failed to remove a pod's folder");
        }
        _ => {}
    }
}

fn make_writable(folder: &Path) {
    let _ = fs::set_permissions(folder, Permissions::from_mode(PRIVATE_FOLDER));
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn nobody_else_may_look_into_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let _state = State::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("lock")), 0o600);
    }

    #[test]
    fn one_agent_has_it_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = State::open(folder.path()).unwrap();
        assert!(matches!(State::open(folder.path()), Err(Error::Taken { .. })));
        drop(first);
        State::open(folder.path()).unwrap();
    }

    #[test]
    fn earlier_boots_are_removed_and_this_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(folder.path()).unwrap();
        let (earlier, this) = (BootId::new("1").unwrap(), BootId::new("2").unwrap());
        for boot in [&earlier, &this] {
            make_private_folder(&state.pods(boot).join("lease/tree")).unwrap();
        }
        fs::set_permissions(state.pods(&earlier).join("lease"), Permissions::from_mode(0o500))
            .unwrap();
        let agent = muletrain_proto::id::AgentId::new("state-test").unwrap();
        state.remove_earlier(&Owner { agent, boot: this.clone() });
        assert!(!state.pods(&earlier).exists());
        assert!(state.pods(&this).exists());
    }
}
