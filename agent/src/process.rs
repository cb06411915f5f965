//! Pods as host processes: a private copy of the tree each, in a process group and with an
//! environment of its own.
//!
//! There is no fence around such a pod and there are no limits on what it uses; those need
//! containers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use muletrain_proto::id::LeaseKey;
use muletrain_proto::link::RunBrief;
use rustix::process::{Pid, Signal};
use tokio::process::{Child, Command};

use crate::marks;
use crate::package::BOOTSTRAP;
use crate::pod::{Pod, Streams};
use crate::pure::outcome::Exit;
use crate::pure::pod::{self, Owner, Process};
use crate::reaper::Reaper;
use crate::runtime;
use crate::spares::{self, Spares};
use crate::state::{make_private_folder, remove_folder};

/// Where programs are found when the agent's own environment does not say.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Variables of the agent's own environment that a pod sees: who the user is.
const PASSED: [&str; 2] = ["USER", "LOGNAME"];

/// Makes pods of host processes.
#[derive(Debug)]
pub struct Processes {
    owner: Owner,
    /// A folder for each pod is made in here.
    folder: PathBuf,
    reaper: Reaper,
    groups: Mutex<BTreeMap<LeaseKey, Pid>>,
    fillings: Mutex<BTreeMap<LeaseKey, Arc<Filling>>>,
    spares: Arc<Spares>,
}

/// The making of a pod's folder, which goes on where nobody waits for it any more. So that it
/// leaves nothing, whoever removes the folder ends it first.
#[derive(Debug, Default)]
struct Filling {
    is_over: Mutex<bool>,
    /// Its copy of the tree, once it is made.
    copy: Mutex<Option<spares::Copy>>,
}

impl Filling {
    fn fill(&self, make: impl FnOnce() -> io::Result<spares::Copy>) -> io::Result<()> {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_over {
            return Err(io::Error::other("it is not wanted any more"));
        }
        *self.copy.lock().unwrap_or_else(PoisonError::into_inner) = Some(make()?);
        Ok(())
    }

    /// Waits until nothing is made any more, and sees to it that nothing will be; gives back what
    /// was made.
    fn end(&self) -> Option<spares::Copy> {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.copy.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Why there is no process.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tree cannot be copied.
    #[error("failed to copy {root} to {copy}")]
    Copy {
        /// From.
        root: String,
        /// To.
        copy: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Python does not start.
    #[error("failed to start {python}; is it installed, and built for this host?")]
    Start {
        /// Which.
        python: String,
        /// Why.
        source: io::Error,
    },
}

impl Processes {
    /// Pods with their folders in `folder`.
    #[must_use]
    pub fn new(owner: Owner, folder: PathBuf, reaper: Reaper) -> Self {
        let (groups, fillings) = (Mutex::default(), Mutex::default());
        let spares = Arc::new(Spares::new(folder.clone()));
        Self { owner, folder, reaper, groups, fillings, spares }
    }

    /// The project's root in the pod of a lease.
    #[must_use]
    pub fn root(&self, lease: &LeaseKey) -> PathBuf {
        self.pod_folder(lease).join("tree")
    }

    /// What tells the databases of a lease's pod from all others on a server.
    #[must_use]
    pub fn database_token(&self, lease: &LeaseKey) -> String {
        self.owner.database_token(lease)
    }

    fn pod_folder(&self, lease: &LeaseKey) -> PathBuf {
        self.folder.join(format!("{}.{}.{}", lease.run, lease.lease, lease.epoch.0))
    }

    /// Starts the pod of a lease.
    ///
    /// # Errors
    /// When the snapshot does not fit, cannot be copied, or its Python does not start.
    pub async fn start(&self, lease: &LeaseKey, brief: &RunBrief) -> Result<Pod, runtime::Error> {
        let process = pod::process(lease, brief, &self.owner)?;
        let folder = self.pod_folder(lease);
        let filling = Arc::new(Filling::default());
        self.lock_fillings().insert(lease.clone(), filling.clone());
        copy(&process.root, &folder, filling, self.spares.clone()).await?;
        let mut child = self.spawn(&process, &folder)?;
        let id = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let Some(group) = id {
            self.reaper.watch_group(group);
            self.lock_groups().insert(lease.clone(), group);
        }
        let streams = streams(&mut child).ok_or_else(|| Error::Start {
            python: process.python.clone(),
            source: io::Error::other("it has no standard streams"),
        })?;
        let id = id.map_or_else(String::new, |id| id.to_string());
        Ok(Pod::new(id, streams, Box::pin(exit(child))))
    }

    fn spawn(&self, process: &Process, folder: &Path) -> Result<Child, Error> {
        Command::new(&process.python)
            .args(["-c", BOOTSTRAP])
            .current_dir(folder.join("tree"))
            .env_clear()
            .envs(surroundings(&process.python, folder))
            .envs(&process.environment)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| Error::Start { python: process.python.clone(), source })
    }

    /// Kills all processes of a pod.
    pub fn kill(&self, lease: &LeaseKey) {
        let group = self.lock_groups().get(lease).copied();
        if let Some(group) = group {
            // It may be gone already.
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }

    /// Removes what was kept for pods that did not come.
    pub async fn remove_idle(&self) {
        let spares = self.spares.clone();
        let _ = tokio::task::spawn_blocking(move || spares.remove_idle(Instant::now())).await;
    }

    /// Removes all of a pod.
    pub async fn remove(&self, lease: &LeaseKey) {
        self.kill(lease);
        let (mark, folder) = (self.owner.mark(lease), self.pod_folder(lease));
        let filling = self.lock_fillings().remove(lease);
        let spares = self.spares.clone();
        let cleaned = tokio::task::spawn_blocking(move || {
            let copy = filling.and_then(|filling| filling.end());
            marks::kill_all(&mark, marks::Match::Exact);
            if let Some(copy) = copy {
                spares.take_back(copy, &folder.join("tree"));
            }
            remove_folder(&folder);
        });
        if cleaned.await.is_err() {
            tracing::warn!(%lease, "failed to remove a pod");
        }
        let group = self.lock_groups().remove(lease);
        if let Some(group) = group {
            self.reaper.forget_group(group);
        }
    }

    fn lock_groups(&self) -> MutexGuard<'_, BTreeMap<LeaseKey, Pid>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_fillings(&self) -> MutexGuard<'_, BTreeMap<LeaseKey, Arc<Filling>>> {
        self.fillings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn copy(
    root: &str,
    folder: &Path,
    filling: Arc<Filling>,
    spares: Arc<Spares>,
) -> Result<(), Error> {
    let (from, to) = (PathBuf::from(root), folder.to_owned());
    let make = move || {
        // Builders remove what was not used for long. A tree that cannot be marked only seems so.
        let _ = File::open(&from).and_then(|tree| tree.set_modified(SystemTime::now()));
        for name in ["home", "tmp"] {
            make_private_folder(&to.join(name))?;
        }
        spares.lend(&from, &to.join("tree"))
    };
    let copied = tokio::task::spawn_blocking(move || filling.fill(make));
    copied.await.map_err(io::Error::other).flatten().map_err(|source| Error::Copy {
        root: root.to_owned(),
        copy: folder.join("tree"),
        source,
    })
}

/// The environment that every pod has, whatever the project says.
fn surroundings(python: &str, folder: &Path) -> BTreeMap<String, String> {
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let mut path = std::env::var("PATH").unwrap_or_else(|_| DEFAULT_PATH.to_owned());
    let mut variables: BTreeMap<String, String> = PASSED
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect();
    if let Some(environment) = virtual_environment(python) {
        path = format!("{}:{path}", environment.join("bin").display());
        variables.insert("VIRTUAL_ENV".to_owned(), text(environment));
    }
    variables.insert("PATH".to_owned(), path);
    variables.insert("HOME".to_owned(), text(folder.join("home")));
    variables.insert("TMPDIR".to_owned(), text(folder.join("tmp")));
    variables.insert("LANG".to_owned(), "C.UTF-8".to_owned());
    variables
}

/// The virtual environment that a Python belongs to.
fn virtual_environment(python: &str) -> Option<PathBuf> {
    let environment = Path::new(python).parent()?.parent()?;
    environment.join("pyvenv.cfg").is_file().then(|| environment.to_owned())
}

fn streams(child: &mut Child) -> Option<Streams> {
    Some(Streams {
        input: Box::pin(child.stdin.take()?),
        output: Box::pin(child.stdout.take()?),
        errors: Box::pin(child.stderr.take()?),
    })
}

async fn exit(mut child: Child) -> Exit {
    use std::os::unix::process::ExitStatusExt;

    match child.wait().await {
        Ok(status) => Exit::Process {
            status: status.code(),
            signal: status.signal(),
            out_of_memory: false,
            stderr: String::new(),
        },
        Err(error) => Exit::Lost { reason: format!("failed to wait for the pod: {error}") },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_is_removed_is_not_made_meanwhile_or_later() {
        let filling = Filling::default();
        let (begun, has_begun) = mpsc::channel();
        let made = Mutex::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                filling.fill(|| {
                    begun.send(()).unwrap();
                    std::thread::yield_now();
                    *made.lock().unwrap() = true;
                    Err(io::Error::other("there is nothing to copy"))
                })
            });
            has_begun.recv().unwrap();
            filling.end();
            assert!(*made.lock().unwrap(), "it is waited for");
        });
        assert!(filling.fill(|| panic!("it is not wanted")).is_err());
    }

    #[test]
    fn a_virtual_environment_comes_first_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pyvenv.cfg"), "").unwrap();
        let python = folder.path().join("bin/python").to_string_lossy().into_owned();
        let variables = surroundings(&python, Path::new("/pods/1"));
        let bin = folder.path().join("bin").to_string_lossy().into_owned();
        assert!(variables["PATH"].starts_with(&format!("{bin}:")));
        assert_eq!(variables["VIRTUAL_ENV"], folder.path().to_string_lossy());
        assert_eq!(variables["HOME"], "/pods/1/home");
        assert!(!surroundings("python3", Path::new("/pods/1")).contains_key("VIRTUAL_ENV"));
    }
}
