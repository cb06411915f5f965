//! Commands that ask another scheduler: `submit`, `runs`, `cancel`.

use std::io::Write;

use muletrain_proto::cli::{Common, chain};
use muletrain_proto::client::{self, Address, MESSAGE_LIMIT};
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::hook::Hook;
use muletrain_proto::id::RunId;
use muletrain_proto::journal::{self, Record};
use muletrain_proto::run::{Options, Overview, State, Submission};
use muletrain_proto::snapshot::Snapshot;
use muletrain_proto::wire;
use muletrain_proto::wire::runs_client::RunsClient;
use tonic::transport::Channel;

use super::early;
use super::ending::Ending;
use super::hooks::{Hooks, SetUp};
use super::isolate::{Host, Search};
use super::past::{self, Wish};
use super::run::{Shown, freeze, open_history, processors};
use super::{
    Error, collect_secrets, explain, make_state_folder, nothing_left, repetition, reported,
};
use crate::cli::{CancelArguments, RunsArguments, SubmitArguments};
use crate::handle;
use crate::interrupt::Interrupts;
use crate::retention;
use crate::settings::Settings;
use crate::sibling::{self, Kept};

/// Builds here, runs on a scheduler's agents, reports here.
///
/// # Errors
/// When the snapshot cannot be built, the scheduler cannot be reached, or it says no.
pub async fn submit(arguments: &SubmitArguments, common: &Common) -> Result<ExitCode, Error> {
    let settings = Settings::find(&arguments.run)?;
    let wish = past::wish(&settings)?;
    if let Wish::Nothing(run) = &wish {
        return Ok(nothing_left(run));
    }
    early::check(&settings, common).await?;
    let search = settings.isolate.as_ref().map(|name| Search::prepare(&settings, name));
    let search = search.transpose()?;
    let address = &arguments.target.scheduler;
    let mut interrupts = Interrupts::listen()?;
    let runs = connect(address).await?;
    let Some(snapshot) = freeze(&wish, &settings, common, &mut interrupts).await? else {
        return Ok(ExitCode::Interrupted);
    };
    handle::check(&snapshot, &settings.options)?;
    let folder = make_state_folder(&settings.project)?;
    if arguments.run.explain {
        let slots = settings.options.slots.unwrap_or_else(processors);
        return explain::print(&snapshot, &settings, &open_history(&folder)?, slots);
    }
    // Agents may use other engines than this host does.
    if sibling::push(&snapshot, address, &settings, common, &mut interrupts).await?.is_none() {
        return Ok(ExitCode::Interrupted);
    }
    let fleet = Fleet { settings: &settings, common, address, runs };
    if let Some(search) = search {
        let host = Host::Fleet(&fleet);
        return search.run(&host, &settings, &snapshot, &settings.options, &mut interrupts).await;
    }
    let options = wish.apply(&settings.options, &snapshot);
    let mut code = ExitCode::Green;
    for number in 1..=settings.until_failure.unwrap_or(1) {
        let options = repetition(&settings, &options, number);
        (_, code) = fleet.follow(&snapshot, &options, Shown::Report, &mut interrupts).await?;
        if code != ExitCode::Green {
            break;
        }
    }
    if code != ExitCode::Interrupted {
        retention::after_run(&settings).await;
    }
    Ok(code)
}

pub(super) struct Fleet<'a> {
    settings: &'a Settings,
    common: &'a Common,
    address: &'a Address,
    runs: RunsClient<Channel>,
}

impl Fleet<'_> {
    /// Hands a run in and stays until it is reported and its last commands are run. There is no
    /// run where it was interrupted before.
    pub(super) async fn follow(
        &self,
        snapshot: &Snapshot,
        options: &Options,
        shown: Shown,
        interrupts: &mut Interrupts,
    ) -> Result<(Option<RunId>, ExitCode), Error> {
        let Self { settings, address, runs, .. } = self;
        let mut runs = runs.clone();
        let hooks = Hooks::new(settings);
        let SetUp::Ran(ran) = hooks.set_up(interrupts).await else {
            hooks.tear_down_untold(None).await;
            return Ok((None, ExitCode::Interrupted));
        };
        let secrets = collect_secrets(snapshot);
        let options = Hooks::with(options, ran);
        let submission = Submission { snapshot: snapshot.clone(), options, secrets };
        let reply = runs.submit(wire::SubmitRequest::from(submission)).await;
        let run = match reply.and_then(|reply| Ok(RunId::try_from(reply.into_inner())?)) {
            Ok(run) => run,
            Err(status) => {
                hooks.tear_down_untold(None).await;
                return Err(refused(address, status));
            }
        };
        let ending = Ending::of(hooks, (*address).clone(), run.clone());
        match self.report(&run, shown, interrupts).await {
            Ok(code) => Ok((Some(run), ending.conclude(code, interrupts).await)),
            Err(error) => {
                // What nobody watches any more is not left running before it is torn down.
                tokio::spawn(ask_to_cancel(runs, run));
                ending.run_anyway(interrupts).await;
                Err(error)
            }
        }
    }

    /// Starts the reporter, and stays until it has reported.
    async fn report(
        &self,
        run: &RunId,
        shown: Shown,
        interrupts: &mut Interrupts,
    ) -> Result<ExitCode, Error> {
        let Self { settings, common, address, runs } = self;
        let kept = Kept::Elsewhere(&settings.results);
        let is_shown = shown == Shown::Report;
        let mut reporter = sibling::report(run, address, settings, kept, is_shown, common)?;
        let mut interrupted = false;
        loop {
            tokio::select! {
                status = reporter.wait() => return reported(status),
                () = interrupts.next() => {
                    if interrupted {
                        return Ok(ExitCode::Interrupted);
                    }
                    interrupted = true;
                    tokio::spawn(ask_to_cancel(runs.clone(), run.clone()));
                }
            }
        }
    }
}

async fn ask_to_cancel(mut runs: RunsClient<Channel>, run: RunId) {
    if let Err(status) = runs.cancel(wire::CancelRequest::from(run)).await {
        tracing::warn!("the run could not be cancelled: {}", status.message());
    }
}

/// Lists the runs of a scheduler.
///
/// # Errors
/// When the scheduler cannot be reached.
pub async fn runs(arguments: &RunsArguments) -> Result<ExitCode, Error> {
    let address = &arguments.target.scheduler;
    let reply = connect(address).await?.list(wire::ListRequest {}).await;
    let list = reply.and_then(|reply| Ok(Vec::<Overview>::try_from(reply.into_inner())?));
    let list = list.map_err(|status| refused(address, status))?;
    let lines = list.iter().map(|run| match arguments.json {
        true => serde_json::to_string(run).unwrap_or_default(),
        false => line(run),
    });
    let text: String = lines.map(|line| line + "\n").collect();
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::Green)
}

fn line(run: &Overview) -> String {
    let state = match run.state {
        State::Running => "running",
        State::Stopping => "stopping",
        State::Closed => "closed",
    };
    let Overview { run: id, project, tests, settled, red, .. } = run;
    format!("{id}  {state:8}  {settled}/{tests} tests, {red} red  {project}")
}

/// Ends a run before its work is done.
///
/// # Errors
/// When the scheduler cannot be reached or has no such run.
pub async fn cancel(arguments: &CancelArguments) -> Result<ExitCode, Error> {
    let address = &arguments.target.scheduler;
    let request = wire::CancelRequest::from(arguments.run.clone());
    let reply = connect(address).await?.cancel(request).await;
    reply.map_err(|status| refused(address, status))?;
    Ok(ExitCode::Green)
}

/// Waits until the scheduler announces that all pods of a run are gone.
pub(super) async fn wait_for_teardown(address: &Address, run: &RunId) -> Result<(), String> {
    let request = wire::WatchRequest { run: run.to_string(), from: 0 };
    let lines = connect(address).await.map_err(|error| chain(&error))?.watch(request).await;
    let mut lines = lines.map_err(|status| status.message().to_owned())?.into_inner();
    while let Some(line) = lines.message().await.map_err(|status| status.message().to_owned())? {
        let entry = journal::read_entry(&line.line);
        let is_end = |record: &Record| matches!(record, Record::TearingDown | Record::Closed);
        if line.number > 0 && entry.is_ok_and(|entry| is_end(&entry.record)) {
            return Ok(());
        }
    }
    Err("the scheduler ended its journal early".to_owned())
}

/// Tells the scheduler what became of the commands that end a run.
pub(super) async fn tell_of_teardown(
    address: &Address,
    run: &RunId,
    hooks: &[Hook],
) -> Result<(), String> {
    let request = wire::TearDownRequest::from((run.clone(), hooks.to_vec()));
    match connect(address).await.map_err(|error| chain(&error))?.tear_down(request).await {
        Err(status) if status.code() != tonic::Code::NotFound => Err(status.message().to_owned()),
        _ => Ok(()),
    }
}

async fn connect(address: &Address) -> Result<RunsClient<Channel>, Error> {
    let channel = client::connect(address).await?;
    Ok(RunsClient::new(channel)
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT))
}

fn refused(address: &Address, status: tonic::Status) -> Error {
    Error::Refused { address: address.clone(), status: Box::new(status) }
}
