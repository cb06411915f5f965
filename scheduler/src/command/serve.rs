//! `serve`: the scheduler of a fleet, until told to stop.

use std::os::unix::fs::DirBuilderExt;

use muletrain_proto::config::Results;
use muletrain_proto::exit_code::ExitCode;

use super::Error;
use crate::blobs::{self, Store};
use crate::cli::ServeArguments;
use crate::engine::Engine;
use crate::history::History;
use crate::interrupt::Interrupts;
use crate::listen::Listener;
use crate::pure::retention::Rules;
use crate::retention;
use crate::service;

/// Serves agents and runs until told to stop; runs that are not over are taken up again when the
/// next one starts on the same state.
///
/// # Errors
/// When the state cannot be used or the address is not to be had.
pub async fn serve(arguments: &ServeArguments) -> Result<ExitCode, Error> {
    let mut interrupts = Interrupts::listen()?;
    let state = &arguments.state;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(state).map_err(|source| Error::File {
        verb: "create",
        path: state.clone(),
        source,
    })?;
    let history = History::open(&state.join("history.sqlite3"))?;
    let store = Store::open(&state.join("blobs"), arguments.keep_blobs)?;
    let listener = Listener::open(&arguments.listen).await?;
    let address = listener.address();
    let (mut engine, handle) = Engine::new(state.join("runs"), history);
    engine.recover();
    let engine = tokio::spawn(engine.run());
    retention::in_background(state.join("runs"), rules(arguments));
    let blobs = blobs::Service::new(store, handle.clone());
    let databases = blobs.databases();
    let router = service::router(handle, blobs, Some(databases));
    eprintln!("listening on {address}");
    let stop = async move { interrupts.next().await };
    tokio::select! {
        served = listener.serve(router, std::future::pending()) => served?,
        () = stop => {}
    }
    // Streams of agents and watchers never end by themselves, so they are not waited for: agents
    // reconnect, and every record is on the disk already.
    engine.abort();
    Ok(ExitCode::Green)
}

/// Which runs of this scheduler are kept.
fn rules(arguments: &ServeArguments) -> Rules {
    Rules::from(&Results {
        keep_days: Some(arguments.keep_days),
        keep_bytes: Some(arguments.keep_bytes),
        keep_runs: Some(arguments.keep_runs),
    })
}
