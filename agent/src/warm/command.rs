//! `muletrain-agent warm`: sets up the databases of a snapshot on this host, without a scheduler.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use muletrain_proto::event::Failed;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::link::{self, RunBrief};
use muletrain_proto::run::{Options, Secrets};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::{self, Content, Snapshot};
use serde::Serialize;

use super::{News, Outcome, Warmer};
use crate::engine::{self, Host};
use crate::pure::warming::Failure;
use crate::settings::Warm;
use crate::signals::Signals;
use crate::state::{self, State};

/// Why there are no databases.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No snapshot.
    #[error("failed to read a snapshot from standard input")]
    Input(#[source] io::Error),
    /// Another text.
    #[error("standard input is no snapshot as muletrain-builder prints it")]
    Snapshot(#[from] snapshot::Error),
    /// The folder for what runs at the moment.
    #[error(transparent)]
    State(#[from] state::Error),
    /// This host.
    #[error(transparent)]
    Host(#[from] engine::Error),
    /// Signals.
    #[error("failed to listen for signals")]
    Signals(#[source] io::Error),
    /// The project's databases cannot be set up.
    #[error("{failure}\n{text}")]
    Project {
        /// In short.
        failure: Failure,
        /// What the harness says.
        text: String,
    },
    /// They cannot be kept.
    #[error("failed to keep the project's databases: {0}")]
    Unkept(Failure),
    /// The answer.
    #[error("failed to print what became of the databases")]
    Output(#[source] io::Error),
}

impl Error {
    /// The exit code it means.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Snapshot(_) => ExitCode::Usage,
            Self::Project { .. } => ExitCode::Red,
            Self::Input(_)
            | Self::State(_)
            | Self::Host(_)
            | Self::Signals(_)
            | Self::Unkept(_)
            | Self::Output(_) => ExitCode::Infrastructure,
        }
    }
}

/// The line that is printed.
#[derive(Serialize)]
struct Answer {
    databases: &'static str,
    seconds: Seconds,
}

/// Finds or makes the databases of the snapshot on standard input.
///
/// # Errors
/// When there is no snapshot, or its databases cannot be set up or kept.
pub async fn run(settings: Warm) -> Result<ExitCode, Error> {
    let mut signals = Signals::listen(false).map_err(Error::Signals)?;
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).map_err(Error::Input)?;
    let brief = Arc::new(brief(&settings, snapshot::read(&text)?));
    let begun = Instant::now();
    let state = State::open(&settings.state)?;
    let runtime = match brief.snapshot.content {
        Content::Docker { .. } => link::Runtime::Docker,
        Content::Process { .. } => link::Runtime::Process,
    };
    let (endpoint, owner) = (&settings.endpoint, &settings.owner);
    let host = Host { runtime, endpoint, owner, scheduler: None, temporary: true };
    let (runtime, place, reaper) = engine::prepare(&host, &state).await?;
    let warmer = Arc::new(Warmer::new(runtime.clone(), place, &settings.cache));
    let outcome = tokio::select! {
        outcome = outcome(&warmer, &brief) => Some(outcome),
        _ = signals.next() => None,
    };
    warmer.leave().await;
    runtime.sweep(&[]).await;
    drop(reaper);
    match outcome {
        Some(outcome) => print(&outcome, begun.elapsed().into()),
        None => Ok(ExitCode::Interrupted),
    }
}

/// A run of the snapshot, as far as databases go.
fn brief(settings: &Warm, snapshot: Snapshot) -> RunBrief {
    let names = snapshot.environment.pass.iter();
    let secrets =
        names.filter_map(|name| Some((name.clone(), std::env::var(name).ok()?))).collect();
    let options = Options { limits: settings.limits, ..Options::default() };
    RunBrief { run: settings.run.clone(), snapshot, options, secrets: Secrets(secrets) }
}

/// That of the last suite with databases, unless another one's failed before.
async fn outcome(warmer: &Arc<Warmer>, brief: &Arc<RunBrief>) -> Outcome {
    let mut last = Outcome::Skipped;
    for suite in brief.snapshot.suites.iter().filter(|suite| suite.adapter.has_databases()) {
        let mut wait = warmer.wait_for(brief, &suite.name);
        last = loop {
            if let News::Over(outcome, _) = wait.next().await {
                break outcome;
            }
        };
        if matches!(last, Outcome::Failed(_)) {
            break;
        }
    }
    last
}

fn print(outcome: &Outcome, seconds: Seconds) -> Result<ExitCode, Error> {
    let databases = match outcome {
        Outcome::Found(_) => "found",
        Outcome::Made { .. } => "made",
        Outcome::Skipped => "skipped",
        Outcome::Failed(failure) => return Err(error(failure.clone())),
    };
    let line = serde_json::to_string(&Answer { databases, seconds }).map_err(io::Error::other);
    let printed = line.and_then(|line| writeln!(io::stdout(), "{line}"));
    printed.map_err(Error::Output)?;
    Ok(ExitCode::Green)
}

fn error(failure: Failure) -> Error {
    let text = match &failure {
        Failure::Reported(failed) => report(failed),
        Failure::Died(death) => format!("{}{}", death.output.text, death.stderr),
        Failure::Unkept { .. } | Failure::Other { .. } => return Error::Unkept(failure),
    };
    Error::Project { failure, text: text.trim_end().to_owned() }
}

/// All that the harness says of a failure.
fn report(failed: &Failed) -> String {
    let tracebacks = failed.failures.iter().map(|failure| failure.traceback.as_str());
    tracebacks.chain([failed.output.text.as_str()]).collect::<Vec<_>>().join("\n")
}
