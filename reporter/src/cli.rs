//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use muletrain_proto::cli::{Common, Generate};
use muletrain_proto::config::ShowOutput;

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
    /// Report on stored runs and on results of other tools
    #[command(after_help = "\
Examples:
  muletrain-reporter report .muletrain/runs/20260101-120000-k3f9
  muletrain-reporter report reports/ jest/junit.xml.gz playwright/ctrf.json
  muletrain-reporter report first/ second/journal.jsonl --junit both.xml
  muletrain-reporter report --json run/ | jq '.runs[0].counts'

A file that cannot be read to its end costs only itself: every complete case in it counts, an \
error names it, and the exit code is 3.")]
    Report(Report),
    /// Merge JUnit XML into one document
    #[command(after_help = "\
Examples:
  muletrain-reporter merge shard-*/junit.xml -o junit.xml
  muletrain-reporter merge reports/ -o junit.xml.gz --junit-profile gitlab
  muletrain-reporter merge reports/ -o part.xml --junit-split 5000

Counts are made anew, and the time of all is their sum; hosts, properties, reruns, files, lines and \
output are kept. What files say of themselves and differ in, attributes of other namespaces and \
what is beyond 1 MiB of a text are left out; the former two are told. It needs no more memory for \
many files than for one. Exit codes: 0 merged, whatever the tests came to; 2 \
something named is not there or cannot be written; 3 a file could not be read to its end.")]
    Merge(Merge),
    /// Tell what changed from one result to another
    #[command(after_help = "\
Examples:
  muletrain-reporter compare main.xml branch.xml
  muletrain-reporter compare runs/20260101-120000-k3f9 runs/20260102-090000-x1y2 --json

Exit codes: 0 nothing fails that did not fail before, 1 something does, 2 usage, 3 one of them is \
incomplete.")]
    Compare(Compare),
    /// List what takes the most time
    Slowest(Slowest),
    /// List tests that failed and passed on the same code
    #[command(after_help = "\
Examples:
  muletrain-reporter flaky
  muletrain-reporter flaky nightly/*.xml --json

A test is flaky that passed after failing in one run, or that passed in one run of a snapshot and \
failed in another.")]
    Flaky(Across),
    /// Show runs over time, and tests that were not always green
    #[command(after_help = "\
Examples:
  muletrain-reporter history
  muletrain-reporter history nightly/*.xml --json")]
    History(Across),
    /// Follow a run until it is closed, then report on it
    #[command(after_help = "\
Examples:
  muletrain-reporter watch                       the newest run of the project in this folder
  muletrain-reporter watch --scheduler http://ci.example:7443
  muletrain-reporter watch 20260101-120000-k3f9 --scheduler unix:/run/muletrain.sock --save runs

It ends as the run does, with its report and its exit code. Ctrl-C leaves the run alone. With \
--save it waits for the run to be closed and still writes the report; the second one leaves at \
once.")]
    Watch(Watch),
    /// Print the manual page or a completion script
    #[command(subcommand)]
    Generate(Generate),
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// A run's directory, a journal, JUnit XML, CTRF, a pytest-reportlog, each also packed with
    /// gzip; a folder of JUnit XML; `-` for standard input
    #[arg(required = true, value_name = "RESULT")]
    pub results: Vec<PathBuf>,
    /// Of which tests it is shown what they printed
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        default_value = "failed",
        env = "MULETRAIN_SHOW_OUTPUT"
    )]
    pub show_output: ShowOutput,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// What is written besides.
    #[command(flatten)]
    pub outputs: Outputs,
}

/// Documents that are written besides the report for people.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Documents")]
pub struct Outputs {
    /// Write JUnit XML here
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// How JUnit XML is laid out.
    #[command(flatten)]
    pub layout: Junit,
    /// Write the report as JSON here, as --json prints it
    #[arg(long, value_name = "FILE")]
    pub report_json: Option<PathBuf>,
    /// Write one page of HTML here, which needs neither a server nor a network
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Tell in the page what changed since this earlier result
    #[arg(long, value_name = "RESULT", requires = "html")]
    pub html_against: Option<PathBuf>,
    /// Show in the page how earlier runs went: folders of runs, and whatever `report` takes
    #[arg(long, value_name = "RESULT", requires = "html")]
    pub html_history: Vec<PathBuf>,
    /// Write a CTRF document here
    #[arg(long, value_name = "FILE")]
    pub ctrf: Option<PathBuf>,
    /// Write a summary in Markdown here, such as to $GITHUB_STEP_SUMMARY
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Annotate what is red or flaky on GitHub, and keep GitHub from obeying what tests print
    #[arg(long)]
    pub github: bool,
    /// Write what is red or flaky in GitLab's code quality format here
    #[arg(long, value_name = "FILE")]
    pub gitlab_code_quality: Option<PathBuf>,
    /// Write the timeline of runs in Chrome's trace format here, for Perfetto
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

/// How JUnit XML is laid out.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Documents")]
pub struct Junit {
    /// Whom JUnit XML is for
    #[arg(long, value_enum, default_value_t, value_name = "PROFILE")]
    pub junit_profile: JunitProfile,
    /// Write numbered files of at most so many cases: FILE-1.xml, FILE-2.xml, …
    #[arg(long, value_name = "CASES", value_parser = clap::value_parser!(u64).range(1..))]
    pub junit_split: Option<u64>,
}

/// Whom JUnit XML is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum JunitProfile {
    /// Tools that read it as it is widely written: everything is kept.
    #[default]
    Full,
    /// Jenkins' xUnit plugin, which validates: files, lines and properties of cases are left out.
    JenkinsXsd,
    /// GitLab, which shows one of two cases with the same name: the second becomes `name #2`.
    Gitlab,
}

/// Arguments of `merge`.
#[derive(Debug, Args)]
pub struct Merge {
    /// JUnit XML, also packed with gzip; a folder of it; `-` for standard input
    #[arg(required = true, value_name = "XML")]
    pub results: Vec<PathBuf>,
    /// Write the document here; packed where it ends in .gz, `-` for standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// How it is laid out.
    #[command(flatten)]
    pub layout: Junit,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// The result before: whatever `report` takes
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The result after
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// A test is slower that takes more than so many times as long, the pace of all tests aside
    #[arg(long, value_name = "RATIO", default_value_t = 1.5)]
    pub slower_ratio: f64,
    /// And more than so many seconds longer
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5)]
    pub slower_seconds: f64,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `slowest`.
#[derive(Debug, Args)]
pub struct Slowest {
    /// Whatever `report` takes
    #[arg(required = true, value_name = "RESULT")]
    pub results: Vec<PathBuf>,
    /// How many are listed
    #[arg(short, long, value_name = "N", default_value_t = 20)]
    pub number: usize,
    /// What times are added up over
    #[arg(long, value_enum, default_value_t)]
    pub by: SlowestBy,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// What times are added up over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SlowestBy {
    /// Each test by itself.
    #[default]
    Test,
    /// Classes.
    Class,
    /// Files.
    File,
    /// Apps.
    App,
}

/// Arguments of `flaky` and `history`.
#[derive(Debug, Args)]
pub struct Across {
    /// Folders of runs, and whatever `report` takes, each a run of its own
    #[arg(value_name = "RESULT", default_value = ".muletrain/runs")]
    pub results: Vec<PathBuf>,
    /// Print it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// Which run: its id, the beginning of that, or its directory; without it, the newest
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    /// Of which tests it is shown what they printed
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        default_value = "failed",
        env = "MULETRAIN_SHOW_OUTPUT"
    )]
    pub show_output: ShowOutput,
    /// Where the scheduler listens: unix:PATH or http://HOST:PORT; without it, a run on this
    /// machine is followed
    #[arg(long, value_name = "ADDRESS", env = "MULETRAIN_SCHEDULER")]
    pub scheduler: Option<String>,
    /// Folder of runs on this machine
    #[arg(
        long,
        value_name = "DIR",
        default_value = ".muletrain/runs",
        env = "MULETRAIN_RESULTS",
        conflicts_with = "scheduler"
    )]
    pub results: PathBuf,
    /// What is written besides.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Keep the journal in a directory named after the run, in here
    #[arg(long, value_name = "DIR", conflicts_with = "stored_in", requires = "scheduler")]
    pub save: Option<PathBuf>,
    /// Directory in which the scheduler keeps the run, for the report to name
    #[arg(long, value_name = "DIR", requires = "scheduler")]
    pub stored_in: Option<PathBuf>,
}
