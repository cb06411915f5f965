//! Plans a run, leases its apps to agents and keeps the journal of what happened.

pub mod blobs;
pub mod cli;
pub mod command;
pub mod engine;
pub mod handle;
pub mod history;
mod interrupt;
pub mod journal;
pub mod listen;
pub mod packed;
pub mod pure;
pub mod retention;
pub mod service;
pub mod settings;
mod shelf;
mod sibling;
pub mod stored;
mod timings;

use std::process::ExitCode as Status;

use clap::{CommandFactory, Parser};
use muletrain_proto::cli::print_error;
use muletrain_proto::exit_code::ExitCode;

use crate::cli::{Cli, Command};
use crate::command::Error;

/// The whole program.
#[must_use]
pub fn main() -> Status {
    let cli = Cli::parse();
    muletrain_proto::log::init(&cli.common);
    let outcome = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(obey(&cli)),
        Err(error) => Err(Error::Terminal(error)),
    };
    outcome
        .unwrap_or_else(|error| {
            // The builder has said it already.
            if !matches!(error, Error::Sibling(sibling::Error::Builder(_))) {
                print_error(&error);
            }
            error.exit_code()
        })
        .into()
}

async fn obey(cli: &Cli) -> Result<ExitCode, Error> {
    match &cli.command {
        Command::Run(arguments) => command::run::run(arguments, &cli.common).await,
        Command::Submit(arguments) => command::remote::submit(arguments, &cli.common).await,
        Command::Serve(arguments) => command::serve::serve(arguments).await,
        Command::Runs(arguments) => command::remote::runs(arguments).await,
        Command::Cancel(arguments) => command::remote::cancel(arguments).await,
        Command::Generate(document) => {
            document.write(Cli::command(), &mut std::io::stdout())?;
            Ok(ExitCode::Green)
        }
    }
}
