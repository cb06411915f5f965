//! `run`: everything on this machine, taken down again when it is over.

use std::io::Write;
use std::path::Path;

use muletrain_proto::cli::{Common, chain};
use muletrain_proto::client::Address;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::RunId;
use muletrain_proto::run::{Options, Stop, Submission};
use muletrain_proto::snapshot::Snapshot;
use tokio::process::Child;
use tokio::sync::oneshot;

use super::early;
use super::ending::Ending;
use super::hooks::{Hooks, SetUp};
use super::isolate::{Host, Search};
use super::past::{self, Wish};
use super::{
    Error, collect_secrets, explain, make_state_folder, nothing_left, repetition, reported,
};
use crate::blobs::{self, Store};
use crate::cli::RunArguments;
use crate::engine::Engine;
use crate::handle::{self, Handle};
use crate::history::History;
use crate::interrupt::Interrupts;
use crate::listen::Listener;
use crate::retention;
use crate::service;
use crate::settings::Settings;
use crate::sibling::{self, Agent, Kept};

/// Agents that may die under one run before it is given up.
const AGENT_LIMIT: u32 = 3;

/// Bytes of files of pods that wait to be taken to the run's folder.
const BLOBS: u64 = 16 << 30;

/// Name of the history in the project's state folder.
const HISTORY: &str = "history.sqlite3";

/// Builds, schedules, runs and reports on this machine.
///
/// # Errors
/// When something it needs cannot be started, or the arguments are wrong.
pub async fn run(arguments: &RunArguments, common: &Common) -> Result<ExitCode, Error> {
    let settings = Settings::find(arguments)?;
    let wish = past::wish(&settings)?;
    if let Wish::Nothing(run) = &wish {
        return Ok(nothing_left(run));
    }
    early::check(&settings, common).await?;
    let search = settings.isolate.as_ref().map(|name| Search::prepare(&settings, name));
    let search = search.transpose()?;
    let mut interrupts = Interrupts::listen()?;
    let Some(snapshot) = freeze(&wish, &settings, common, &mut interrupts).await? else {
        return Ok(ExitCode::Interrupted);
    };
    handle::check(&snapshot, &settings.options)?;
    let slots = settings.options.slots.unwrap_or_else(processors);
    let history = open_history(&make_state_folder(&settings.project)?)?;
    if arguments.explain {
        return explain::print(&snapshot, &settings, &history, slots);
    }

    let folder = private_folder()?;
    let socket = folder.path().join("scheduler.sock");
    let listener = Listener::unix(&socket)?;
    let address = Address::Unix(socket);
    let (engine, handle) = Engine::new(settings.results.clone(), history);
    let engine = tokio::spawn(engine.run());
    let (stop, stopped) = oneshot::channel::<()>();
    // Files of pods come this way; the images that agents use are on their engine already.
    let store = Store::open(&folder.path().join("blobs"), BLOBS)?;
    let blobs = blobs::Service::new(store, handle.clone());
    let router = service::router(handle.clone(), blobs, None);
    let server = tokio::spawn(listener.serve(router, async {
        // Dropping the sender stops it too.
        let _ = stopped.await;
    }));

    let laptop = Laptop { settings: &settings, common, address: &address, slots };
    let code = match search {
        Some(search) => {
            let options = &settings.options;
            let host = Host::Laptop(&laptop, &handle);
            search.run(&host, &settings, &snapshot, options, &mut interrupts).await
        }
        None => {
            let options = wish.apply(&settings.options, &snapshot);
            laptop.repeat(&handle, &snapshot, &options, &mut interrupts).await
        }
    };
    drop(stop);
    server.abort();
    engine.abort();
    if code.as_ref().is_ok_and(|code| *code != ExitCode::Interrupted) {
        retention::after_run(&settings).await;
    }
    code
}

/// The snapshot that is wanted, or that of the checkout as it is; none when it was interrupted.
pub(super) async fn freeze(
    wish: &Wish,
    settings: &Settings,
    common: &Common,
    interrupts: &mut Interrupts,
) -> Result<Option<Snapshot>, Error> {
    let Wish::Order(ordered) = wish else {
        return Ok(sibling::build(settings, common, interrupts).await?);
    };
    writeln!(std::io::stdout(), "{}", ordered.line(&settings.project))?;
    match sibling::find(&ordered.snapshot, settings, common, interrupts).await? {
        None => return Ok(None),
        Some(true) => return Ok(Some(ordered.snapshot.clone())),
        Some(false) => {}
    }
    let snapshot = sibling::build(settings, common, interrupts).await?;
    if let Some(snapshot) = &snapshot
        && ordered.snapshot.id != snapshot.id
    {
        tracing::warn!(
            "snapshot {} of run {} is gone; the checkout as it is takes its place",
            ordered.snapshot.id,
            ordered.run
        );
    }
    Ok(snapshot)
}

/// What a run shows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Its report.
    Report,
    /// Nothing; it is stored.
    Nothing,
}

pub(super) struct Laptop<'a> {
    settings: &'a Settings,
    common: &'a Common,
    address: &'a Address,
    slots: u32,
}

impl Laptop<'_> {
    /// Runs once, or until something is red.
    async fn repeat(
        &self,
        handle: &Handle,
        snapshot: &Snapshot,
        options: &Options,
        interrupts: &mut Interrupts,
    ) -> Result<ExitCode, Error> {
        let mut code = ExitCode::Green;
        for number in 1..=self.settings.until_failure.unwrap_or(1) {
            let options = repetition(self.settings, options, number);
            (_, code) = self.follow(handle, snapshot, &options, Shown::Report, interrupts).await?;
            if code != ExitCode::Green {
                break;
            }
        }
        Ok(code)
    }

    /// Hands the run in and stays until it is reported and its last commands are run. There is no
    /// run where it was interrupted before.
    pub(super) async fn follow(
        &self,
        handle: &Handle,
        snapshot: &Snapshot,
        options: &Options,
        shown: Shown,
        interrupts: &mut Interrupts,
    ) -> Result<(Option<RunId>, ExitCode), Error> {
        let hooks = Hooks::new(self.settings);
        let SetUp::Ran(ran) = hooks.set_up(interrupts).await else {
            hooks.tear_down_untold(None).await;
            return Ok((None, ExitCode::Interrupted));
        };
        let submission = Submission {
            secrets: collect_secrets(snapshot),
            options: Hooks::with(options, ran),
            snapshot: snapshot.clone(),
        };
        let run = match handle.submit(submission).await {
            Ok(run) => run,
            Err(error) => {
                hooks.tear_down_untold(None).await;
                return Err(error.into());
            }
        };
        let ending = Ending::of(hooks, self.address.clone(), run.clone());
        match self.report(handle, &run, snapshot, shown, interrupts).await {
            Ok(code) => Ok((Some(run), ending.conclude(code, interrupts).await)),
            Err(error) => {
                handle.stop(run, Stop::Infrastructure { reason: chain(&error) }).await;
                ending.run_anyway(interrupts).await;
                Err(error)
            }
        }
    }

    /// Starts agent and reporter, and stays until the reporter has reported.
    async fn report(
        &self,
        handle: &Handle,
        run: &RunId,
        snapshot: &Snapshot,
        shown: Shown,
        interrupts: &mut Interrupts,
    ) -> Result<ExitCode, Error> {
        let mut agent = self.start_agent(snapshot)?;
        let kept = Kept::Here(&self.settings.results);
        let is_shown = shown == Shown::Report;
        let reporter =
            sibling::report(run, self.address, self.settings, kept, is_shown, self.common);
        let code = match reporter {
            Ok(mut reporter) => {
                self.watch(handle, run, snapshot, &mut agent, &mut reporter, interrupts).await
            }
            Err(error) => Err(error.into()),
        };
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
                status = reporter.wait() => return reported(status),
                () = interrupts.next() => {
                    if interrupted {
                        return Ok(ExitCode::Interrupted);
                    }
                    interrupted = true;
                    handle.stop(run.clone(), Stop::Interrupted).await;
                }
                how = agent.ended(), if deaths < AGENT_LIMIT => {
                    deaths += 1;
                    let mut reason = format!("the agent ended {deaths} times, last with {how}");
                    if deaths < AGENT_LIMIT && !interrupted {
                        tracing::warn!("the agent ended ({how}) and is started again");
                        match self.start_agent(snapshot) {
                            Ok(another) => {
                                *agent = another;
                                continue;
                            }
                            Err(error) => reason = chain(&error),
                        }
                    }
                    deaths = AGENT_LIMIT;
                    handle.stop(run.clone(), Stop::Infrastructure { reason }).await;
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
            let error = chain(&error);
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
