//! The agent: takes leases from a scheduler, makes a pod of each, and sends back what happens.
//!
//! [`engine`] is the one loop; it asks [`pure::slots`] what to do. Each lease is a task
//! ([`lease`]) that asks [`pure::conversation`]. Pods come from one of two runtimes, [`docker`]
//! and [`process`], behind [`runtime`]; [`reaper`] takes them away when the agent cannot. [`warm`]
//! keeps the databases that pods begin with.

pub mod artifacts;
pub mod blobs;
pub mod check;
pub mod cli;
pub mod docker;
pub mod engine;
pub mod lease;
pub mod link;
pub mod marks;
pub mod package;
pub mod parking;
pub mod pod;
pub mod process;
pub mod pure;
pub mod reaper;
pub mod restore;
pub mod runtime;
#[cfg(test)]
mod samples;
pub mod settings;
pub mod signals;
pub mod spares;
pub mod state;
pub mod tree;
pub mod warm;

use std::process::ExitCode as Status;

use clap::{CommandFactory, Parser};
use muletrain_proto::exit_code::ExitCode;

/// The whole program.
#[must_use]
pub fn main() -> Status {
    let arguments = cli::Arguments::parse();
    muletrain_proto::log::init(&arguments.common);
    match run(arguments.command) {
        Ok(code) => code.into(),
        Err(failure) => {
            muletrain_proto::cli::print_error(failure.error.as_ref());
            failure.code.into()
        }
    }
}

/// An error and the exit code it means.
struct Failure {
    error: anyhow::Error,
    code: ExitCode,
}

fn run(command: cli::Command) -> Result<ExitCode, Failure> {
    let usage = |error: settings::Error| Failure { error: error.into(), code: ExitCode::Usage };
    match command {
        cli::Command::Run(arguments) => {
            let settings = settings::Settings::from_arguments(&arguments).map_err(usage)?;
            block_on(engine::run(settings))?
                .map_err(|error| Failure { code: error.exit_code(), error: error.into() })
        }
        cli::Command::Warm(arguments) => {
            let settings = settings::Warm::from_arguments(&arguments).map_err(usage)?;
            block_on(warm::command::run(settings))?
                .map_err(|error| Failure { code: error.exit_code(), error: error.into() })
        }
        cli::Command::Check(arguments) => {
            let endpoint = settings::endpoint(&arguments.docker).map_err(usage)?;
            block_on(check::run(&endpoint, arguments.runtime))?.map_err(infrastructure)
        }
        cli::Command::Reap(arguments) => {
            let settings = settings::Reap::from_arguments(&arguments).map_err(usage)?;
            block_on(reaper::run(settings))?.map_err(infrastructure)?;
            Ok(ExitCode::Green)
        }
        cli::Command::Generate(document) => {
            document
                .write(cli::Arguments::command(), &mut std::io::stdout())
                .map_err(infrastructure)?;
            Ok(ExitCode::Green)
        }
    }
}

fn infrastructure(error: impl Into<anyhow::Error>) -> Failure {
    Failure { error: error.into(), code: ExitCode::Infrastructure }
}

/// Runs a future to its end on two threads, so that nothing that computes keeps heartbeats back.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(infrastructure)?;
    let result = runtime.block_on(future);
    // A read of standard input cannot be cancelled and must not keep the process.
    runtime.shutdown_background();
    Ok(result)
}
