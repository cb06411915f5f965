//! The process that cleans up after an agent that cannot: it holds a pipe from the agent, and
//! when that closes it removes everything that is marked as the agent's.

use muletrain_proto::docker_host::Endpoint;
use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::Instant;

use crate::docker::Docker;
use crate::marks;
use crate::pure::pod::Owner;
use crate::settings::Reap;
use crate::state::remove_folder;

/// How long an engine that does not answer is asked again.
const DEADLINE: Duration = Duration::from_secs(120);

/// How long pods may take to end by themselves.
const GROUP_GRACE: Duration = Duration::from_secs(5);

/// Time between two looks at them.
const GROUP_PAUSE: Duration = Duration::from_millis(50);

/// Time between two passes over the engine's containers.
const PAUSE: Duration = Duration::from_secs(1);

/// Passes in a row that find nothing before the work is done: what an agent asked for in its last
/// moment may appear after the first.
const EMPTY_PASSES: u32 = 3;

/// The agent's end of the pipe; the reaper works once it is dropped, or the agent is gone.
#[derive(Debug, Clone)]
pub struct Reaper {
    pipe: Arc<Mutex<ChildStdin>>,
    _child: Arc<Child>,
}

/// Why there is no reaper.
#[derive(Debug, thiserror::Error)]
#[error("failed to start the process that cleans up after this agent")]
pub struct Error(#[from] io::Error);

impl Reaper {
    /// Starts a reaper, in a session of its own so that no signal for the agent reaches it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(owner: &Owner, folder: &Path, endpoint: Option<&Endpoint>) -> Result<Self, Error> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("reap").arg("--folder").arg(folder);
        command.args(["--agent", owner.agent.as_str(), "--boot", owner.boot.as_str()]);
        match endpoint {
            Some(endpoint) => command.args(["--docker-host", &endpoint.to_string()]),
            None => command.env_remove("DOCKER_HOST"),
        };
        let mut child = command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = child.stdin.take().ok_or_else(|| io::Error::other("it has no input"))?;
        // It closes its output once it is out of reach of signals meant for the agent.
        if let Some(mut output) = child.stdout.take() {
            io::copy(&mut output, &mut io::sink())?;
        }
        Ok(Self { pipe: Arc::new(Mutex::new(pipe)), _child: Arc::new(child) })
    }

    /// A process group to kill should the agent go.
    pub fn watch_group(&self, group: Pid) {
        self.tell(&format!("+{group}\n"));
    }

    /// A process group that is gone.
    pub fn forget_group(&self, group: Pid) {
        self.tell(&format!("-{group}\n"));
    }

    fn tell(&self, line: &str) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = pipe.write_all(line.as_bytes()) {
            tracing::warn!(%error, "the process that cleans up after this agent is gone");
        }
    }
}

/// The reaper's whole life.
///
/// # Errors
/// When the session cannot be left, or the engine cannot be reached until the deadline.
pub async fn run(settings: Reap) -> Result<(), anyhow::Error> {
    // Started as a group leader, as by hand, it has a session of its own or needs none.
    let _ = rustix::process::setsid();
    rustix::stdio::dup2_stdout(std::fs::OpenOptions::new().write(true).open("/dev/null")?)?;
    let groups = watch().await;
    let owner = settings.owner.clone();
    wait_for(&groups).await;
    tokio::task::spawn_blocking(move || {
        for group in groups {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        marks::kill_all(&owner.mark_prefix(), marks::Match::Prefix);
        remove_folder(&settings.folder);
    })
    .await?;
    match &settings.endpoint {
        Some(endpoint) => remove_containers(endpoint, &settings.owner).await,
        None => Ok(()),
    }
}

/// Waits for the end of the agent; the groups it has not forgotten.
async fn watch() -> HashSet<Pid> {
    let mut groups = HashSet::new();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let group = line.get(1..).and_then(|digits| Pid::from_raw(digits.parse().ok()?));
        match (line.chars().next(), group) {
            (Some('+'), Some(group)) => groups.insert(group),
            (Some('-'), Some(group)) => groups.remove(&group),
            _ => false,
        };
    }
    groups
}

/// Pods end themselves once the agent is gone, and take away what they have elsewhere, such as
/// databases on servers; they get a moment for it.
async fn wait_for(groups: &HashSet<Pid>) {
    let deadline = Instant::now() + GROUP_GRACE;
    let is_alive = |group: &&Pid| rustix::process::test_kill_process_group(**group).is_ok();
    while groups.iter().any(|group| is_alive(&group)) && Instant::now() < deadline {
        tokio::time::sleep(GROUP_PAUSE).await;
    }
}

async fn remove_containers(endpoint: &Endpoint, owner: &Owner) -> Result<(), anyhow::Error> {
    let deadline = Instant::now() + DEADLINE;
    let mut empty = 0;
    while empty < EMPTY_PASSES {
        match pass(endpoint, owner).await {
            Ok(0) => empty += 1,
            Ok(_) => empty = 0,
            Err(error) if Instant::now() >= deadline => return Err(error.into()),
            Err(_) => empty = 0,
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn pass(endpoint: &Endpoint, owner: &Owner) -> Result<usize, crate::docker::Error> {
    Docker::connect(endpoint, owner.clone()).await?.remove_boot().await
}
