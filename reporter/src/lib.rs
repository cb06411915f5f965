//! From the journal of a run to a report.
//!
//! [`pure`] folds the journal's records to a summary, [`render`] turns that into text. Around them:
//! [`source`] reads stored runs.

pub mod cli;
pub mod files;
pub mod output;
pub mod pure;
pub mod render;
pub mod report;
pub mod settings;
pub mod source;

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
    match arguments.command {
        cli::Command::Report(report) => {
            report::run(&settings::Report::new(report, &arguments.common))
        }
        cli::Command::Watch(watch) => match settings::Watch::new(watch, &arguments.common) {
            Ok(_settings) => ExitCode::Green,
            Err(error) => {
                print_error(&error);
                ExitCode::Usage
            }
        },
        cli::Command::Generate(generate) => {
            match generate.write(cli::Cli::command(), &mut std::io::stdout()) {
                Ok(()) => ExitCode::Green,
                Err(error) => {
                    print_error(&error);
                    ExitCode::Usage
                }
            }
        }
    }
}
