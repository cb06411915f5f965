//! An agent as a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use super::scheduler::Scheduler;

/// A running agent. One that is dropped is killed.
pub struct Agent {
    child: Child,
    pub state: Arc<TempDir>,
}

impl Agent {
    /// Starts an agent of a scheduler with these further arguments.
    pub fn start(scheduler: &Scheduler, arguments: &[&str]) -> Self {
        let state = Arc::new(tempfile::tempdir().unwrap());
        Self::start_in(scheduler, state, arguments)
    }

    /// The same, in the folder of another agent.
    pub fn start_in(scheduler: &Scheduler, state: Arc<TempDir>, arguments: &[&str]) -> Self {
        let path = state.path().to_string_lossy().into_owned();
        let cache = state.path().join("cache");
        let child = command(scheduler)
            .args(["--state", &path])
            .env("MULETRAIN_CACHE", cache)
            .args(arguments)
            .spawn()
            .unwrap();
        Self { child, state }
    }

    /// Starts one as the program of a single run does: its folder is its own affair.
    pub fn attached(scheduler: &Scheduler, state_home: &Path) -> Self {
        let child = command(scheduler)
            .args(["--runtime", "process", "--attached"])
            .env("XDG_STATE_HOME", state_home)
            .env("MULETRAIN_CACHE", state_home.join("cache"))
            .spawn()
            .unwrap();
        Self { child, state: Arc::new(tempfile::tempdir().unwrap()) }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Its standard input; dropping it is what an attached agent waits for.
    pub fn take_input(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    pub async fn exit(&mut self) -> ExitStatus {
        self.exit_within(super::PATIENCE).await
    }

    pub async fn exit_within(&mut self, limit: Duration) -> ExitStatus {
        let mut status = None;
        super::within(limit, "the agent exits", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Entries of kept databases.
    pub fn kept(&self) -> usize {
        let folders = |path: PathBuf| std::fs::read_dir(path).into_iter().flatten().flatten();
        let keys = folders(self.state.path().join("cache/warm/1"));
        keys.flat_map(|key| folders(key.path())).filter(|entry| entry.path().is_dir()).count()
    }

    /// Folders of host processes that are there at the moment. A copy of a tree that waits for the
    /// next one, under a name that begins with a dot, is nobody's.
    pub fn pod_folders(&self) -> usize {
        let entries = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten();
        let is_pod =
            |entry: &std::fs::DirEntry| !entry.file_name().as_encoded_bytes().starts_with(b".");
        let boots = entries(&self.state.path().join("pods"));
        boots.map(|boot| entries(&boot.path()).filter(is_pod).count()).sum()
    }
}

fn command(scheduler: &Scheduler) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muletrain-agent"));
    command
        .args(["run", "--scheduler", &scheduler.address()])
        .env("MULETRAIN_LOG", "muletrain_agent=debug,info")
        .env("AGENT_CANARY", "must not reach a pod")
        .stdin(Stdio::piped());
    command
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Number of host processes that carry the mark of a run's pods.
pub fn processes_of(run: &str) -> usize {
    let wanted = format!("/{run}/");
    let is_marked = |environment: Vec<u8>| {
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let mut variables = environment.split('\0');
        variables.any(|text| text.starts_with("MULETRAIN_POD=") && text.contains(&wanted))
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| std::fs::read(entry.path().join("environ")).ok())
        .filter(|environment| is_marked(environment.clone()))
        .count()
}
