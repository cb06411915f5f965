//! Freezes a checkout into the snapshot that a run tests.
//!
//! [`source`] reads the checkout once; [`process`] and [`docker`] each make a snapshot of that
//! copy; [`pure`] decides what they do. Only [`docker`] talks to an engine.

pub mod build;
pub mod cli;
pub mod docker;
pub mod error;
pub mod find;
pub mod gc;
pub mod parts;
pub mod preview;
pub mod process;
pub mod progress;
pub mod pure;
pub mod push;
pub mod settings;
pub mod source;
pub mod suites;
pub mod warm;

use std::io::Write;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use muletrain_proto::exit_code::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

use cli::{Cli, Command};
use error::Error;
use progress::Progress;

/// How long cleaning the engine may take after a signal.
const CLEANING: Duration = Duration::from_secs(8);

/// Runs the command line of this process.
#[must_use]
pub fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    muletrain_proto::log::init(&cli.common);
    match run(cli) {
        Ok(()) => ExitCode::Green.into(),
        Err(error) => {
            muletrain_proto::cli::print_error(&error);
            error.exit_code().into()
        }
    }
}

/// Runs a command line.
///
/// # Errors
/// When its command fails.
pub fn run(cli: Cli) -> Result<(), Error> {
    let progress = Progress::new(cli.common.quiet > 0);
    match cli.command {
        Command::Build(arguments) if arguments.dry_run => {
            let (json, all) = (arguments.json, cli.common.verbose > 0);
            let preview =
                build::preview(&settings::Build::resolve(arguments.project, arguments.committed)?)?;
            match json {
                true => print_json(&preview),
                false => print(preview.text(all).as_bytes()),
            }
        }
        Command::Build(arguments) => {
            let settings = settings::Build::resolve(arguments.project, arguments.committed)?;
            print_json(&until_signal(build::build(&settings, &progress), clean(&settings))?)
        }
        Command::Warm(arguments) => {
            let settings = settings::Build::resolve_warm(arguments)?;
            let work = warm::warm(&settings, &cli.common, &progress);
            until_signal(work, clean(&settings))
        }
        Command::Push(arguments) => {
            let settings = settings::Push::resolve(arguments)?;
            let snapshot = push::read()?;
            until_signal(push::push(&settings, &snapshot, &progress), async {})
        }
        Command::Find(arguments) => {
            let settings = settings::Build::resolve_find(arguments)?;
            let snapshot = push::read()?;
            match until_signal(find::is_there(&settings, &snapshot), async {})? {
                true => print_json(&snapshot),
                false => Ok(()),
            }
        }
        Command::Gc(arguments) => {
            let json = arguments.json;
            let settings = settings::Collection::resolve(arguments)?;
            let report = until_signal(gc::collect(&settings), async {})?;
            match json {
                true => print_json(&report),
                false => print(report.text().as_bytes()),
            }
        }
        Command::Suites(arguments) => {
            let apps = suites::find(&settings::project(&arguments.path)?)?.apps;
            match arguments.json {
                true => print_json(&apps),
                false => print(suites::table(&apps).as_bytes()),
            }
        }
        Command::Generate(document) => {
            let mut text = Vec::new();
            document.write(Cli::command(), &mut text).map_err(Error::Output)?;
            print(&text)
        }
    }
}

/// Works until that is done; a signal ends it, and then it is cleaned up.
fn until_signal<T>(
    work: impl Future<Output = Result<T, Error>>,
    clean: impl Future<Output = ()>,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| process::Error::Start { source })?;
    let result = runtime.block_on(async {
        let failed = |source| process::Error::Start { source };
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let result = tokio::select! {
            result = work => result,
            _ = interrupt.recv() => Err(Error::Interrupted),
            _ = terminate.recv() => Err(Error::Interrupted),
        };
        if matches!(result, Err(Error::Interrupted)) {
            clean.await;
        }
        result
    });
    // Reading a checkout cannot be interrupted and must not be waited for.
    runtime.shutdown_background();
    result
}

/// Cleans the engine after a signal. Whoever sent it waits, so a slow engine is left alone: its
/// containers end with this process, and the next builder removes what is left.
async fn clean(settings: &settings::Build) {
    match tokio::time::timeout(CLEANING, docker::clean(settings)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "containers may be left"),
        Err(_) => tracing::warn!("containers may be left: the engine is slow"),
    }
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(|error| Error::Output(error.into()))?;
    print(format!("{text}\n").as_bytes())
}

fn print(bytes: &[u8]) -> Result<(), Error> {
    std::io::stdout().write_all(bytes).map_err(Error::Output)
}
