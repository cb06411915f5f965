//! The command line, and nothing else.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand};
use muletrain_proto::cli::{Common, Generate};
use muletrain_proto::client::Address;
use muletrain_proto::config::{Runtime, units};
use muletrain_proto::id::RunId;
use muletrain_proto::seconds::Seconds;

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

/// What to run, and how.
#[derive(Debug, Args, Default)]
pub struct Selecting {
    /// Folder of the project
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// App labels, packages, modules, classes or methods; nothing means everything
    pub labels: Vec<String>,
    /// Only classes that match: a dotted class or its subclasses, or a glob
    #[arg(long, value_name = "PATTERN", help_heading = "Selection", value_delimiter = ',')]
    pub include: Vec<String>,
    /// No classes that match: a dotted class or its subclasses, or a glob
    #[arg(long, value_name = "PATTERN", help_heading = "Selection", value_delimiter = ',')]
    pub exclude: Vec<String>,
    /// Only tests with this tag
    #[arg(long = "tag", value_name = "TAG", help_heading = "Selection")]
    pub tags: Vec<String>,
    /// No tests with this tag
    #[arg(long = "exclude-tag", value_name = "TAG", help_heading = "Selection")]
    pub exclude_tags: Vec<String>,
    /// Only tests whose id holds this text, or matches it where it has a `*`
    #[arg(short = 'k', value_name = "PATTERN", help_heading = "Selection")]
    pub patterns: Vec<String>,
    /// Stop after the first red test
    #[arg(long, conflicts_with = "max_failures", help_heading = "Limits")]
    pub failfast: bool,
    /// Stop after this many red tests
    #[arg(long, value_name = "N", env = "MULETRAIN_MAX_FAILURES", help_heading = "Limits")]
    pub max_failures: Option<u32>,
    /// Time limit of one test, such as 60s or 1m30s
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration, env = "MULETRAIN_TEST_TIMEOUT", help_heading = "Limits")]
    pub test_timeout: Option<Seconds>,
    /// Time limit of the run
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration, env = "MULETRAIN_TIMEOUT", help_heading = "Limits")]
    pub timeout: Option<Seconds>,
    /// Memory of one container, such as 512m or 2g
    #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes, env = "MULETRAIN_MEMORY", help_heading = "Limits")]
    pub memory: Option<u64>,
    /// Processes and threads of one container
    #[arg(long, value_name = "N", env = "MULETRAIN_PROCESSES", help_heading = "Limits")]
    pub processes: Option<u32>,
    /// Processors of one container, such as 1.5
    #[arg(long, value_name = "N", env = "MULETRAIN_CPUS", help_heading = "Limits")]
    pub cpus: Option<f64>,
    /// Containers or processes at once [default: one per processor here, or all that a fleet has]
    #[arg(long, value_name = "N", env = "MULETRAIN_SLOTS", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub slots: Option<u32>,
    /// Set every pod's databases up anew instead of starting from kept ones
    #[arg(
        long = "fresh-db", value_name = "yes|no", num_args = 0..=1, require_equals = true,
        default_missing_value = "yes", value_parser = BoolishValueParser::new(),
        hide_possible_values = true, env = "MULETRAIN_FRESH_DB"
    )]
    pub fresh_databases: Option<bool>,
    /// Print the plan and why, run nothing
    #[arg(long)]
    pub explain: bool,
    /// What tests run in; auto means containers where a Docker Engine answers, else processes
    #[arg(long, value_enum, env = "MULETRAIN_RUNTIME")]
    pub runtime: Option<Runtime>,
    /// Docker Engine to use instead of the default one
    #[arg(long, value_name = "URL", env = "MULETRAIN_DOCKER_HOST")]
    pub docker_host: Option<String>,
    /// Write a JUnit XML report
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub junit: Option<PathBuf>,
    /// Where runs are kept [default: .muletrain/runs in the project]
    #[arg(long, value_name = "DIR", env = "MULETRAIN_RESULTS", help_heading = "Reports")]
    pub results: Option<PathBuf>,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// What to run, and how.
    #[command(flatten)]
    pub selecting: Selecting,
}

/// Arguments of `submit`.
#[derive(Debug, Args)]
pub struct SubmitArguments {
    /// What to run, and how.
    #[command(flatten)]
    pub selecting: Selecting,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn selecting(arguments: &[&str]) -> Selecting {
        let arguments = [&["muletrain-scheduler", "run"], arguments].concat();
        match Cli::try_parse_from(arguments).unwrap().command {
            Command::Run(run) => run.selecting,
            other => panic!("{other:?} is not `run`"),
        }
    }

    #[test]
    fn fresh_databases_are_asked_for_by_a_flag_that_takes_no_label_away() {
        assert_eq!(selecting(&["."]).fresh_databases, None);
        assert_eq!(selecting(&["--fresh-db=no", "."]).fresh_databases, Some(false));
        let given = selecting(&[".", "--fresh-db", "blog"]);
        assert_eq!((given.fresh_databases, given.labels), (Some(true), vec!["blog".to_owned()]));
        assert!(Cli::try_parse_from(["muletrain-scheduler", "run", "--fresh-db=x"]).is_err());
    }
}
