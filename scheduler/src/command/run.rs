//! `run`: everything on this machine, taken down again when it is over.

use std::path::Path;

use muletrain_proto::cli::Common;
use muletrain_proto::client::Address;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::RunId;
use muletrain_proto::run::{Stop, Submission};
use muletrain_proto::snapshot::Snapshot;
use tokio::process::Child;
use tokio::sync::oneshot;

use super::{Error, collect_secrets, explain, make_state_folder, reported};
use crate::cli::RunArguments;
use crate::engine::Engine;
use crate::handle::{self, Handle};
use crate::history::History;
use crate::interrupt::Interrupts;
use crate::listen::Listener;
use crate::service;
use crate::settings::Settings;
use crate::sibling::{self, Agent, Kept};

/// Agents that may die under one run before it is given up.
const AGENT_LIMIT: u32 = 3;

/// Name of the history in the project's state folder.
const HISTORY: &str = "history.sqlite3";

/// Builds, schedules, runs and reports on this machine.
///
/// # Errors
/// When something it needs cannot be started, or the arguments are wrong.
pub async fn run(arguments: &RunArguments, common: &Common) -> Result<ExitCode, Error> {
    let settings = Settings::find(&arguments.selecting)?;
    let mut interrupts = Interrupts::listen()?;
    let Some(snapshot) = sibling::build(&settings, common, &mut interrupts).await? else {
        return Ok(ExitCode::Interrupted);
    };
    handle::check(&snapshot, &settings.options)?;
    let slots = settings.options.slots.unwrap_or_else(processors);
    let history = open_history(&make_state_folder(&settings.project)?)?;
    if arguments.selecting.explain {
        return explain::print(&snapshot, &settings, &history, slots);
    }

    let folder = private_folder()?;
    let socket = folder.path().join("scheduler.sock");
    let listener = Listener::unix(&socket)?;
    let address = Address::Unix(socket);
    let (engine, handle) = Engine::new(settings.results.clone(), history);
    let engine = tokio::spawn(engine.run());
    let (stop, stopped) = oneshot::channel::<()>();
    let router = service::router(handle.clone(), None);
    let server = tokio::spawn(listener.serve(router, async {
        // Dropping the sender stops it too.
        let _ = stopped.await;
    }));

    let laptop = Laptop { settings: &settings, common, address: &address, slots };
    let code = laptop.follow(&handle, snapshot, &mut interrupts).await;
    drop(stop);
    server.abort();
    engine.abort();
    code
}

struct Laptop<'a> {
    settings: &'a Settings,
    common: &'a Common,
    address: &'a Address,
    slots: u32,
}

impl Laptop<'_> {
    /// Starts agent and reporter and stays until the reporter has reported.
    async fn follow(
        &self,
        handle: &Handle,
        snapshot: Snapshot,
        interrupts: &mut Interrupts,
    ) -> Result<ExitCode, Error> {
        let mut agent = self.start_agent(&snapshot)?;
        let submission = Submission {
            secrets: collect_secrets(&snapshot),
            options: self.settings.options.clone(),
            snapshot: snapshot.clone(),
        };
        let run = handle.submit(submission).await?;
        let junit = self.settings.junit.as_deref();
        let kept = Kept::Here(&self.settings.results);
        let mut reporter = sibling::report(&run, self.address, junit, kept, self.common)?;
        let code = self.watch(handle, &run, &snapshot, &mut agent, &mut reporter, interrupts).await;
        agent.finish().await;
        code
    }

    async fn watch(
        &self,
        handle: &Handle,
        run: &RunId,
        snapshot: &Snapshot,
        agent: &mut Agent,
        reporter: &mut Child,
        interrupts: &mut Interrupts,
    ) -> Result<ExitCode, Error> {
        let (mut interrupted, mut deaths) = (false, 0);
        loop {
            tokio::select! {
                status = reporter.wait() => return Ok(reported(status)),
                () = interrupts.next() => {
                    if interrupted {
                        return Ok(ExitCode::Interrupted);
                    }
                    interrupted = true;
                    handle.stop(run.clone(), Stop::Interrupted).await;
                }
                how = agent.ended(), if deaths < AGENT_LIMIT => {
                    deaths += 1;
                    if deaths < AGENT_LIMIT && !interrupted {
                        tracing::warn!("the agent ended ({how}) and is started again");
                        *agent = self.start_agent(snapshot)?;
                    } else {
                        let reason = format!("the agent ended {deaths} times, last with {how}");
                        handle.stop(run.clone(), Stop::Infrastructure { reason }).await;
                    }
                }
            }
        }
    }

    fn start_agent(&self, snapshot: &Snapshot) -> Result<Agent, Error> {
        Ok(Agent::start(snapshot, self.address, self.slots, self.settings, self.common)?)
    }
}

pub(super) fn processors() -> u32 {
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(count).unwrap_or(1)
}

/// The history; one that cannot be used is told of and done without.
pub(super) fn open_history(folder: &Path) -> Result<History, Error> {
    match History::open(&folder.join(HISTORY)) {
        Ok(history) => Ok(history),
        Err(error) => {
            let error = muletrain_proto::cli::chain(&error);
            tracing::warn!("{error}; this run goes without it");
            Ok(History::in_memory()?)
        }
    }
}

/// A folder that only this user can enter and that goes with the run.
fn private_folder() -> Result<tempfile::TempDir, Error> {
    tempfile::Builder::new().prefix("muletrain-").tempdir().map_err(|source| Error::File {
        verb: "create a folder in",
        path: std::env::temp_dir(),
        source,
    })
}
