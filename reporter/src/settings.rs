//! From arguments to what the commands work with.

use std::io::IsTerminal;
use std::path::PathBuf;

use muletrain_proto::cli::Common;
use muletrain_proto::client::{self, Address};
use muletrain_proto::config::ShowOutput;
use muletrain_proto::id::{self, RunId};

use crate::cli;
use crate::pure::junit::profile::Profile;
use crate::pure::style::Look;
use crate::render::junit::document::Layout;
use crate::tail;

/// Columns where there is no terminal to ask.
const DEFAULT_WIDTH: usize = 100;

/// Narrowest terminal that is laid out for.
const LEAST_WIDTH: usize = 20;

/// Why arguments make no sense.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The scheduler's address is none.
    #[error(transparent)]
    Address(#[from] client::Error),
    /// The run's id is none.
    #[error(transparent)]
    Run(#[from] id::Error),
    /// There is no such run on this machine.
    #[error(transparent)]
    Stored(#[from] tail::Error),
}

/// What `report` works with.
#[derive(Debug)]
pub struct Report {
    /// What to report on, in order.
    pub results: Vec<PathBuf>,
    /// What is written besides.
    pub outputs: Outputs,
    /// Whether the report is printed as JSON.
    pub json: bool,
    /// How standard output looks.
    pub look: Look,
}

/// Documents that are written besides the report for people.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    /// Where JUnit XML goes.
    pub junit: Option<PathBuf>,
    /// How it is laid out.
    pub layout: Layout,
    /// Documents that are one text each, and where they go.
    pub texts: Vec<(Document, PathBuf)>,
    /// The page.
    pub html: Option<Html>,
    /// Whether GitHub listens to standard output.
    pub github: bool,
}

/// The report as a page, and what it tells beside the results.
#[derive(Debug, Clone)]
pub struct Html {
    /// Where it goes.
    pub path: PathBuf,
    /// The earlier result that changes are told from.
    pub against: Option<PathBuf>,
    /// Earlier runs.
    pub history: Vec<PathBuf>,
}

/// A document that is made from summaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// The report as JSON.
    Json,
    /// The Common Test Report Format.
    Ctrf,
    /// A summary for a page.
    Markdown,
    /// GitLab's code quality format.
    CodeQuality,
    /// Chrome's trace format.
    Trace,
}

impl From<cli::Outputs> for Outputs {
    fn from(arguments: cli::Outputs) -> Self {
        let texts = [
            (Document::Json, arguments.report_json),
            (Document::Ctrf, arguments.ctrf),
            (Document::Markdown, arguments.markdown),
            (Document::CodeQuality, arguments.gitlab_code_quality),
            (Document::Trace, arguments.trace),
        ];
        let html =
            |path| Html { path, against: arguments.html_against, history: arguments.html_history };
        Self {
            html: arguments.html.map(html),
            junit: arguments.junit,
            layout: arguments.layout.into(),
            texts: texts.into_iter().filter_map(|(kind, path)| Some((kind, path?))).collect(),
            github: arguments.github,
        }
    }
}

impl From<cli::Junit> for Layout {
    fn from(arguments: cli::Junit) -> Self {
        let profile = match arguments.junit_profile {
            cli::JunitProfile::Full => Profile::Full,
            cli::JunitProfile::JenkinsXsd => Profile::JenkinsXsd,
            cli::JunitProfile::Gitlab => Profile::Gitlab,
        };
        Self { profile, split: arguments.junit_split }
    }
}

/// What `watch` works with.
#[derive(Debug)]
pub struct Watch {
    /// Where the run is.
    pub source: Source,
    /// Whether whoever started this ends the run too when it is interrupted.
    pub is_attached: bool,
    /// What is written besides.
    pub outputs: Outputs,
    /// Where the run's directory goes.
    pub save: Option<PathBuf>,
    /// Where the scheduler keeps the run.
    pub stored_in: Option<PathBuf>,
    /// How standard output looks.
    pub look: Look,
    /// How progress is shown.
    pub progress: Progress,
}

/// Where a run is that is watched.
#[derive(Debug)]
pub enum Source {
    /// On a scheduler: which, and which run; none: the newest.
    Scheduler(Address, Option<RunId>),
    /// In a journal on this machine.
    Stored(PathBuf),
}

/// How progress is shown on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Drawn anew as things happen.
    Drawn(Look),
    /// A line for what is worth one.
    Lines(Look),
    /// The same, in a group of a page of GitHub.
    Grouped(Look),
    /// Not at all.
    Quiet,
}

impl Report {
    /// Settles what `report` works with.
    #[must_use]
    pub fn new(arguments: cli::Report, common: &Common) -> Self {
        let cli::Report { results, outputs, json, show_output } = arguments;
        let look = Look { output: show_output, ..on_stdout(common) };
        Self { results, outputs: outputs.into(), json, look }
    }
}

impl Watch {
    /// Settles what `watch` works with.
    ///
    /// # Errors
    /// When the address or the run's id is none, or there is no such run.
    pub fn new(arguments: cli::Watch, common: &Common) -> Result<Self, Error> {
        let cli::Watch { run, scheduler, results, outputs, save, stored_in, show_output } =
            arguments;
        let source = match scheduler {
            Some(address) => Source::Scheduler(address.parse()?, run.map(RunId::new).transpose()?),
            None => Source::Stored(tail::find(&results, run.as_deref())?),
        };
        let is_attached = save.is_some() || stored_in.is_some();
        let stored_in = match &source {
            Source::Scheduler(..) => stored_in,
            Source::Stored(journal) => journal.parent().map(Into::into),
        };
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let drawn = std::io::stderr().is_terminal() && !dumb;
        let progress = match (common.quiet > 0, drawn) {
            (true, _) => Progress::Quiet,
            (false, true) => Progress::Drawn(on_stderr(common)),
            (false, false) if on_github() => Progress::Grouped(on_stderr(common)),
            (false, false) => Progress::Lines(on_stderr(common)),
        };
        Ok(Self {
            source,
            is_attached,
            outputs: outputs.into(),
            save,
            stored_in,
            look: Look { output: show_output, ..on_stdout(common) },
            progress,
        })
    }
}

/// Whether GitHub shows what is printed.
fn on_github() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|set| set == "true")
}

/// How standard output looks.
pub(crate) fn on_stdout(common: &Common) -> Look {
    let output = ShowOutput::default();
    let width = terminal_size::terminal_size_of(std::io::stdout());
    Look { color: common.color.on_stdout(), width: columns(width), output }
}

fn on_stderr(common: &Common) -> Look {
    let width = terminal_size::terminal_size_of(std::io::stderr());
    let output = ShowOutput::default();
    Look { color: common.color.on_stderr(), width: columns(width), output }
}

fn columns(size: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    let width = size.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
    width.max(LEAST_WIDTH)
}
