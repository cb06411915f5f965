//! From the journal of a run, or the results of any tool, to a report.
//!
//! [`pure`] folds a journal's records, or the parts of other results, to a summary; [`render`]
//! turns that into text. Around them, [`read`] reads files and [`follow`] runs on a scheduler;
//! [`results`] finds what a user names. The commands are [`report`], [`merge`], [`watch`] and those
//! of [`across`].

pub mod across;
pub mod cli;
pub mod content;
pub mod drawing;
pub mod fetching;
pub mod files;
pub mod follow;
pub mod live;
pub mod merge;
pub mod output;
pub mod page;
pub mod parallel;
pub mod pure;
pub mod read;
pub mod render;
pub mod report;
pub mod results;
pub mod save;
pub mod settings;
pub mod tail;
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
        cli::Command::Merge(merge) => merge::run(&merge),
        cli::Command::Compare(compare) => across::compare_two(&compare, &common),
        cli::Command::Slowest(slowest) => across::slow(&slowest, &common),
        cli::Command::Flaky(flaky) => across::flaky(&flaky, &common),
        cli::Command::History(history) => across::history(&history, &common),
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
