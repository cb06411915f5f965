//! The command line, and nothing else; the flags of a run lie in a file for each heading of
//! `--help`.

mod documents;
mod limits;
mod order;
mod pods;
mod reports;
mod run;
mod selection;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use muletrain_proto::cli::{Common, Generate};
use muletrain_proto::client::Address;
use muletrain_proto::config::units;
use muletrain_proto::id::RunId;

pub use documents::{Documents, JunitProfile};
pub use limits::Limits;
pub use order::Order;
pub use pods::Pods;
pub use reports::Reports;
pub use run::RunArguments;
pub use selection::Selection;

/// Runs a Django test suite in parallel: one container per app, one truthful report
#[derive(Debug, Parser)]
#[command(name = "muletrain-scheduler", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Arguments of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  muletrain-scheduler run                          everything of the project in this folder
  muletrain-scheduler run . blog shop.tests.CartTest
  muletrain-scheduler run . --tag smoke --failfast --junit junit.xml
  muletrain-scheduler run . --explain              the plan and why; runs nothing
  muletrain-scheduler serve --listen 127.0.0.1:7443 --state /var/lib/muletrain
  muletrain-scheduler submit . --scheduler http://127.0.0.1:7443

Exit codes: 0 green, 1 red, 2 usage or nothing selected, 3 incomplete,
4 infrastructure could not start, 130 interrupted.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build, schedule, run and report on this machine
    Run(RunArguments),
    /// Build here and run on a scheduler's agents
    Submit(SubmitArguments),
    /// Serve agents and runs until told to stop
    Serve(ServeArguments),
    /// List the runs of a scheduler
    Runs(RunsArguments),
    /// End a run before its work is done
    Cancel(CancelArguments),
    /// Print the manual page or shell completions
    #[command(subcommand)]
    Generate(Generate),
}

/// Arguments of `submit`.
#[derive(Debug, Args)]
pub struct SubmitArguments {
    /// What to run, and how.
    #[command(flatten)]
    pub run: RunArguments,
    /// The scheduler
    #[command(flatten)]
    pub target: Target,
}

/// Which scheduler.
#[derive(Debug, Args)]
pub struct Target {
    /// The scheduler: http://HOST:PORT or unix:PATH
    #[arg(long, value_name = "URL", env = "MULETRAIN_SCHEDULER")]
    pub scheduler: Address,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Loopback address and port, or unix:PATH
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7443", env = "MULETRAIN_LISTEN")]
    pub listen: String,
    /// Where journals, the history and images on their way to agents are kept
    #[arg(long, value_name = "DIR", env = "MULETRAIN_STATE")]
    pub state: PathBuf,
    /// Room for images on their way to agents; the longest unused go first
    #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes, default_value = "50g", env = "MULETRAIN_KEEP_BLOBS")]
    pub keep_blobs: u64,
    /// Days after which a run is removed
    #[arg(long, value_name = "DAYS", default_value_t = 30, env = "MULETRAIN_KEEP_DAYS")]
    pub keep_days: u32,
    /// Room for runs; beyond it the oldest are removed
    #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes, default_value = "1g", env = "MULETRAIN_KEEP_BYTES")]
    pub keep_bytes: u64,
    /// The newest runs, which are kept however old and large they are
    #[arg(long, value_name = "N", default_value_t = 10, env = "MULETRAIN_KEEP_RUNS")]
    pub keep_runs: u32,
}

/// Arguments of `runs`.
#[derive(Debug, Args)]
pub struct RunsArguments {
    /// The scheduler
    #[command(flatten)]
    pub target: Target,
    /// As JSON, one run a line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `cancel`.
#[derive(Debug, Args)]
pub struct CancelArguments {
    /// The run
    pub run: RunId,
    /// The scheduler
    #[command(flatten)]
    pub target: Target,
}
