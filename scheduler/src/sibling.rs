//! The other binaries, as processes that this one starts and takes down with it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use muletrain_proto::blob;
use muletrain_proto::cli::Common;
use muletrain_proto::client::Address;
use muletrain_proto::config::{self, ShowOutput};
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::RunId;
use muletrain_proto::link::Runtime;
use muletrain_proto::snapshot::{self, App, Content, Snapshot};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};

use crate::interrupt::Interrupts;
use crate::settings::Settings;

/// How long a sibling may take to clean up once it is told to end.
const GRACE: Duration = Duration::from_secs(9);

/// Why a sibling could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The binary is not there, or cannot be started.
    #[error("cannot start {}; the four muletrain binaries belong in one folder", path.display())]
    Start {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// This binary does not know where it is.
    #[error("cannot tell where the muletrain binaries are")]
    Nowhere(#[source] io::Error),
    /// The builder has said what is wrong.
    #[error("the snapshot could not be built or sent")]
    Builder(ExitCode),
    /// The builder printed something else than a snapshot.
    #[error("the builder printed no snapshot")]
    NoSnapshot(#[source] serde_json::Error),
    /// The builder is another version.
    #[error("the builder printed snapshot version {found}, this build reads {}", snapshot::VERSION)]
    SnapshotVersion {
        /// The version it says.
        found: u32,
    },
}

impl Error {
    /// How the process ends because of it.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Builder(code) => *code,
            _ => ExitCode::Infrastructure,
        }
    }
}

fn command(name: &str, common: &Common) -> Result<(PathBuf, Command), Error> {
    let here = std::env::current_exe().map_err(Error::Nowhere)?;
    let path = here.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(&path);
    // A group of its own: Ctrl-C reaches this process alone, which then takes the others down in
    // the right order.
    command.process_group(0).kill_on_drop(true).args(common.to_arguments());
    Ok((path, command))
}

fn spawn(path: &Path, command: &mut Command) -> Result<Child, Error> {
    command.spawn().map_err(|source| Error::Start { path: path.to_owned(), source })
}

/// Runs the builder on a project; none when it was interrupted.
///
/// # Errors
/// When it cannot be started, or gives no snapshot.
pub(crate) async fn build(
    settings: &Settings,
    common: &Common,
    interrupts: &mut Interrupts,
) -> Result<Option<Snapshot>, Error> {
    let (path, mut command) = command("muletrain-builder", common)?;
    command.arg("build").arg(&settings.project).arg("--runtime").arg(match settings.runtime {
        config::Runtime::Auto => "auto",
        config::Runtime::Docker => "docker",
        config::Runtime::Process => "process",
    });
    command.args(settings.docker_host.iter().flat_map(|host| ["--docker-host", host]));
    let child = spawn(&path, command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let Some(printed) = ended(child, path, interrupts).await? else { return Ok(None) };
    let snapshot: Snapshot = serde_json::from_slice(&printed).map_err(Error::NoSnapshot)?;
    match snapshot.version {
        snapshot::VERSION => Ok(Some(snapshot)),
        found => Err(Error::SnapshotVersion { found }),
    }
}

/// Whether all of a snapshot is still there, as far as the builder can tell; none when it was
/// interrupted.
///
/// # Errors
/// When it cannot be started.
pub(crate) async fn find(
    snapshot: &Snapshot,
    settings: &Settings,
    common: &Common,
    interrupts: &mut Interrupts,
) -> Result<Option<bool>, Error> {
    let (path, mut command) = command("muletrain-builder", common)?;
    command.arg("find");
    command.args(settings.docker_host.iter().flat_map(|host| ["--docker-host", host]));
    let child = hand_over(snapshot, &path, command.stdout(Stdio::piped())).await?;
    match ended(child, path, interrupts).await {
        Ok(printed) => Ok(printed.map(|printed| !printed.is_empty())),
        // It has said why, and whoever wants the snapshot does without.
        Err(Error::Builder(_)) => Ok(Some(false)),
        Err(error) => Err(error),
    }
}

/// Starts a command that reads a snapshot from its standard input.
async fn hand_over(
    snapshot: &Snapshot,
    path: &Path,
    command: &mut Command,
) -> Result<Child, Error> {
    let mut child = spawn(path, command.stdin(Stdio::piped()))?;
    let text = serde_json::to_vec(snapshot).map_err(Error::NoSnapshot)?;
    if let Some(mut input) = child.stdin.take() {
        // One that does not listen says why by how it ends.
        let _ = input.write_all(&text).await;
    }
    Ok(child)
}

/// The apps of a project, as its files show them; none where the builder cannot tell.
pub(crate) async fn apps(settings: &Settings, common: &Common) -> Option<Vec<App>> {
    let (path, mut command) = command("muletrain-builder", common).ok()?;
    command.args(["suites", "--json"]).arg(&settings.project);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let output = spawn(&path, &mut command).ok()?.wait_with_output().await.ok()?;
    serde_json::from_slice(&output.stdout).ok().filter(|_| output.status.success())
}

/// Lets the builder send a snapshot's images, if it has any, to a scheduler; none when it was
/// interrupted.
///
/// # Errors
/// When it cannot be started, or does not send them.
pub(crate) async fn push(
    snapshot: &Snapshot,
    address: &Address,
    settings: &Settings,
    common: &Common,
    interrupts: &mut Interrupts,
) -> Result<Option<()>, Error> {
    if blob::images(snapshot).is_empty() {
        return Ok(Some(()));
    }
    let (path, mut command) = command("muletrain-builder", common)?;
    command.args(["push", "--scheduler"]).arg(address.to_string());
    command.args(settings.docker_host.iter().flat_map(|host| ["--docker-host", host]));
    let child = hand_over(snapshot, &path, command.stdout(Stdio::null())).await?;
    Ok(ended(child, path, interrupts).await?.map(drop))
}

/// What the builder printed, once it has ended well; none when it was interrupted.
async fn ended(
    child: Child,
    path: PathBuf,
    interrupts: &mut Interrupts,
) -> Result<Option<Vec<u8>>, Error> {
    let id = child.id();
    let output = child.wait_with_output();
    tokio::pin!(output);
    let output = tokio::select! {
        output = &mut output => output,
        () = interrupts.next() => {
            interrupt(id);
            // It removes what it was about to make; no longer than this is waited for that.
            let _ = tokio::time::timeout(GRACE, output).await;
            return Ok(None);
        }
    };
    let output = output.map_err(|source| Error::Start { path, source })?;
    if !output.status.success() {
        let code = output.status.code().and_then(ExitCode::from_status);
        return Err(Error::Builder(code.unwrap_or(ExitCode::Infrastructure)));
    }
    Ok(Some(output.stdout))
}

fn interrupt(process: Option<u32>) {
    let process = process.and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
    if let Some(process) = process {
        // It may have ended just now.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::INT);
    }
}

/// Where the journal of a run is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kept<'a> {
    /// By this process, in this folder of runs.
    Here(&'a Path),
    /// By a scheduler elsewhere; the reporter keeps a copy in this folder of runs.
    Elsewhere(&'a Path),
}

/// Starts the reporter on a run.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn report(
    run: &RunId,
    address: &Address,
    settings: &Settings,
    kept: Kept<'_>,
    is_shown: bool,
    common: &Common,
) -> Result<Child, Error> {
    let (path, mut command) = command("muletrain-reporter", common)?;
    command.arg("watch").arg(run.as_str()).arg("--scheduler").arg(address.to_string());
    match kept {
        Kept::Here(folder) => command.arg("--stored-in").arg(folder.join(run.as_str())),
        Kept::Elsewhere(folder) => command.arg("--save").arg(folder),
    };
    if !is_shown {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        return spawn(&path, command.stdin(Stdio::null()));
    }
    command.args(settings.documents.arguments());
    command.arg("--show-output").arg(match settings.show_output {
        ShowOutput::All => "all",
        ShowOutput::Failed => "failed",
        ShowOutput::None => "none",
    });
    spawn(&path, command.stdin(Stdio::null()))
}

/// An agent on this machine; it ends when this is dropped or told to.
#[derive(Debug)]
pub(crate) struct Agent {
    child: Child,
    /// Its end tells an attached agent to go, and waiting for a child would close it.
    input: Option<ChildStdin>,
}

impl Agent {
    /// Starts an agent for a snapshot's runtime.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(
        snapshot: &Snapshot,
        address: &Address,
        slots: u32,
        settings: &Settings,
        common: &Common,
    ) -> Result<Self, Error> {
        let (path, mut command) = command("muletrain-agent", common)?;
        let runtime = match snapshot.content {
            Content::Docker { .. } => Runtime::Docker,
            Content::Process { .. } => Runtime::Process,
        };
        command
            .args(["run", "--attached", "--scheduler"])
            .arg(address.to_string())
            .arg("--slots")
            .arg(slots.to_string())
            .arg("--runtime")
            .arg(runtime.to_string());
        command.args(settings.docker_host.iter().flat_map(|host| ["--docker-host", host]));
        let mut child = spawn(&path, command.stdin(Stdio::piped()).stdout(Stdio::null()))?;
        let input = child.stdin.take();
        Ok(Self { child, input })
    }

    /// Waits for it to end by itself, which it should not; tells how.
    pub(crate) async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Lets it clean up and end.
    pub(crate) async fn finish(mut self) {
        drop(self.input.take());
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            tracing::warn!("the agent did not end in time and is killed; its reaper cleans up");
            // It may have ended just now.
            let _ = self.child.kill().await;
        }
    }
}
