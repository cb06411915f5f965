//! Commands that ask another scheduler: `submit`, `runs`, `cancel`.

use std::io::Write;

use muletrain_proto::cli::Common;
use muletrain_proto::client::{self, Address, MESSAGE_LIMIT};
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::RunId;
use muletrain_proto::run::{Overview, State, Submission};
use muletrain_proto::wire;
use muletrain_proto::wire::runs_client::RunsClient;
use tonic::transport::Channel;

use super::run::{open_history, processors};
use super::{Error, collect_secrets, explain, make_state_folder, reported};
use crate::cli::{CancelArguments, RunsArguments, SubmitArguments};
use crate::handle;
use crate::interrupt::Interrupts;
use crate::settings::Settings;
use crate::sibling::{self, Kept};

/// Builds here, runs on a scheduler's agents, reports here.
///
/// # Errors
/// When the snapshot cannot be built, the scheduler cannot be reached, or it says no.
pub async fn submit(arguments: &SubmitArguments, common: &Common) -> Result<ExitCode, Error> {
    let settings = Settings::find(&arguments.selecting)?;
    let address = &arguments.target.scheduler;
    let mut interrupts = Interrupts::listen()?;
    let mut runs = connect(address).await?;
    let Some(snapshot) = sibling::build(&settings, common, &mut interrupts).await? else {
        return Ok(ExitCode::Interrupted);
    };
    handle::check(&snapshot, &settings.options)?;
    let folder = make_state_folder(&settings.project)?;
    if arguments.selecting.explain {
        let slots = settings.options.slots.unwrap_or_else(processors);
        return explain::print(&snapshot, &settings, &open_history(&folder)?, slots);
    }
    // Agents may use other engines than this host does.
    if sibling::push(&snapshot, address, &settings, common, &mut interrupts).await?.is_none() {
        return Ok(ExitCode::Interrupted);
    }
    let secrets = collect_secrets(&snapshot);
    let submission = Submission { snapshot, options: settings.options.clone(), secrets };
    let reply = runs.submit(wire::SubmitRequest::from(submission)).await;
    let run = reply.and_then(|reply| Ok(RunId::try_from(reply.into_inner())?));
    let run = run.map_err(|status| refused(address, status))?;

    let kept = Kept::Elsewhere(&settings.results);
    let mut reporter = sibling::report(&run, address, settings.junit.as_deref(), kept, common)?;
    let mut interrupted = false;
    loop {
        tokio::select! {
            status = reporter.wait() => return Ok(reported(status)),
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

async fn connect(address: &Address) -> Result<RunsClient<Channel>, Error> {
    let channel = client::connect(address).await?;
    Ok(RunsClient::new(channel)
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT))
}

fn refused(address: &Address, status: tonic::Status) -> Error {
    Error::Refused { address: address.clone(), status: Box::new(status) }
}
