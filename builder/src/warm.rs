//! Setting a project's databases up ahead of its next run, by the agent that stands beside this
//! program.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use muletrain_proto::cli::Common;
use muletrain_proto::config::Run;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::snapshot::Snapshot;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::build;
use crate::progress::Progress;
use crate::settings;

/// Why there are no databases.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The agent is not there, or does not take the snapshot.
    #[error("cannot start {}; the four muletrain binaries belong in one folder", path.display())]
    Start {
        /// The agent.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The agent has said what is wrong.
    #[error("the databases of the project could not be set up ahead")]
    Agent(ExitCode),
}

impl Error {
    /// The exit code that tells of it.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Start { .. } => ExitCode::Infrastructure,
            Self::Agent(code) => *code,
        }
    }
}

/// Builds a snapshot and has its databases set up; the agent prints what became of them.
///
/// # Errors
/// When there is no snapshot, no agent, or the databases cannot be set up or kept.
pub async fn warm(
    settings: &settings::Build,
    common: &Common,
    progress: &Progress,
) -> Result<(), crate::error::Error> {
    let snapshot = build::build(settings, progress).await?;
    progress.say("setting the databases up");
    let path = agent()?;
    let code = run(&path, settings, common, &snapshot).await;
    match code.map_err(|source| Error::Start { path, source })? {
        ExitCode::Green => Ok(()),
        code => Err(Error::Agent(code).into()),
    }
}

fn agent() -> Result<PathBuf, Error> {
    let name = format!("muletrain-agent{}", std::env::consts::EXE_SUFFIX);
    let here = std::env::current_exe();
    let here = here.map_err(|source| Error::Start { path: PathBuf::from(&name), source })?;
    Ok(here.with_file_name(name))
}

/// What the containers may use, as far as anybody has said so.
fn limits(run: &Run) -> Vec<String> {
    let memory = run.memory.map(|bytes| format!("--memory={bytes}b"));
    let processes = run.processes.map(|count| format!("--processes={count}"));
    memory.into_iter().chain(processes).collect()
}

/// Runs the agent to its end. Where this is dropped before, the agent is killed, and what it has
/// on this host and its engine is removed by its reaper.
async fn run(
    path: &Path,
    settings: &settings::Build,
    common: &Common,
    snapshot: &Snapshot,
) -> io::Result<ExitCode> {
    let mut agent = Command::new(path)
        .args(common.to_arguments())
        .arg("warm")
        .arg("--cache")
        .arg(&settings.cache)
        .args(settings.docker_host.iter().flat_map(|host| ["--docker-host", host]))
        .args(limits(&settings.config.run))
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = agent.stdin.take() {
        // One that does not read it says why by its end.
        let _ = input.write_all(&serde_json::to_vec(snapshot)?).await;
    }
    let status = agent.wait().await?;
    Ok(status.code().and_then(ExitCode::from_status).unwrap_or(ExitCode::Infrastructure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_is_told_the_limits_that_somebody_has_set() {
        let memory = Run { memory: Some(3 << 30), ..Run::default() };
        assert_eq!(limits(&memory), ["--memory=3221225472b"]);
        let both = Run { processes: Some(64), ..memory };
        assert_eq!(limits(&both), ["--memory=3221225472b", "--processes=64"]);
        assert_eq!(limits(&Run::default()), [""; 0]);
    }
}
