//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use muletrain_proto::cli::{Common, Generate};

/// Turn the records of runs into reports
#[derive(Debug, Parser)]
#[command(name = "muletrain-reporter", version, propagate_version = true)]
#[command(after_help = "\
Examples:
  muletrain-reporter report .muletrain/runs/20260101-120000-k3f9 --junit junit.xml
  muletrain-reporter watch --scheduler http://ci.example:7443

Exit codes: 0 green, 1 red, 2 usage, 3 incomplete, 4 could not run, 130 interrupted.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What every binary has.
    #[command(flatten)]
    pub common: Common,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report on stored runs
    #[command(after_help = "\
Examples:
  muletrain-reporter report .muletrain/runs/20260101-120000-k3f9
  muletrain-reporter report first/ second/journal.jsonl --junit both.xml
  muletrain-reporter report --json run/ | jq '.runs[0].counts'")]
    Report(Report),
    /// Follow a run until it is closed, then report on it
    #[command(after_help = "\
Examples:
  muletrain-reporter watch --scheduler http://ci.example:7443
  muletrain-reporter watch 20260101-120000-k3f9 --scheduler unix:/run/muletrain.sock --save runs

The first Ctrl-C waits for the run to be closed and still writes the report; the second leaves at \
once.")]
    Watch(Watch),
    /// Print the manual page or a completion script
    #[command(subcommand)]
    Generate(Generate),
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// A run's directory, a journal, or `-` for one on standard input
    #[arg(required = true, value_name = "RESULT")]
    pub results: Vec<PathBuf>,
    /// Write JUnit XML here
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// Which run; without it, the newest
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    /// Where the scheduler listens: unix:PATH or http://HOST:PORT
    #[arg(long, value_name = "ADDRESS", env = "MULETRAIN_SCHEDULER")]
    pub scheduler: String,
    /// Write JUnit XML here
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Keep the journal in a directory named after the run, in here
    #[arg(long, value_name = "DIR", conflicts_with = "stored_in")]
    pub save: Option<PathBuf>,
    /// Directory in which the scheduler keeps the run, for the report to name
    #[arg(long, value_name = "DIR")]
    pub stored_in: Option<PathBuf>,
}
