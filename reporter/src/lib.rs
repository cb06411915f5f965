//! From the journal of a run to a report.
//!
//! [`pure`] folds the journal's records to a summary, [`render`] turns that into text. Around them,
//! [`source`] reads stored runs and [`follow`] those on a scheduler; [`report`] and [`watch`] are
//! the commands.

pub mod cli;
pub mod files;
pub mod follow;
pub mod live;
pub mod output;
pub mod pure;
pub mod render;
pub mod report;
pub mod save;
pub mod settings;
pub mod source;
pub mod watch;

use std::error::Error;

use clap::{CommandFactory, Parser};
use muletrain_proto::cli::print_error;
use muletrain_proto::exit_code::ExitCode;

/// The whole program.
#[must_use]
pub fn main() -> std::process::ExitCode {
    let arguments = cli::Cli::parse();
    muletrain_proto::log::init(&arguments.common);
    run(arguments).into()
}

fn run(arguments: cli::Cli) -> ExitCode {
    let common = arguments.common;
    match arguments.command {
        cli::Command::Report(report) => report::run(&settings::Report::new(report, &common)),
        cli::Command::Watch(watch) => match settings::Watch::new(watch, &common) {
            Ok(settings) => watch_run(&settings),
            Err(error) => refused(&error, ExitCode::Usage),
        },
        cli::Command::Generate(generate) => {
            match generate.write(cli::Cli::command(), &mut std::io::stdout()) {
                Ok(()) => ExitCode::Green,
                Err(error) => refused(&error, ExitCode::Usage),
            }
        }
    }
}

fn watch_run(settings: &settings::Watch) -> ExitCode {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(watch::run(settings)),
        Err(error) => refused(&error, ExitCode::Infrastructure),
    }
}

fn refused(error: &(dyn Error + 'static), code: ExitCode) -> ExitCode {
    print_error(error);
    code
}
