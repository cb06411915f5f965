//! From arguments to what the commands work with.

use std::io::IsTerminal;
use std::path::PathBuf;

use muletrain_proto::cli::Common;
use muletrain_proto::client::{self, Address};
use muletrain_proto::id::{self, RunId};

use crate::cli;
use crate::pure::style::Look;

/// Columns where there is no terminal to ask.
const DEFAULT_WIDTH: usize = 100;

/// Narrowest terminal that is laid out for.
const LEAST_WIDTH: usize = 40;

/// Why arguments make no sense.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The scheduler's address is none.
    #[error(transparent)]
    Address(#[from] client::Error),
    /// The run's id is none.
    #[error(transparent)]
    Run(#[from] id::Error),
}

/// What `report` works with.
#[derive(Debug)]
pub struct Report {
    /// What to report on, in order.
    pub results: Vec<PathBuf>,
    /// Where JUnit XML goes.
    pub junit: Option<PathBuf>,
    /// Whether the report is printed as JSON.
    pub json: bool,
    /// How standard output looks.
    pub look: Look,
}

/// What `watch` works with.
#[derive(Debug)]
pub struct Watch {
    /// Which run; none: the newest.
    pub run: Option<RunId>,
    /// Where the scheduler listens.
    pub scheduler: Address,
    /// Where JUnit XML goes.
    pub junit: Option<PathBuf>,
    /// Where the run's directory goes.
    pub save: Option<PathBuf>,
    /// Where the scheduler keeps the run.
    pub stored_in: Option<PathBuf>,
    /// How standard output looks.
    pub look: Look,
    /// How progress is shown.
    pub progress: Progress,
}

/// How progress is shown on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Drawn anew as things happen.
    Drawn(Look),
    /// A line for what is worth one.
    Lines(Look),
    /// Not at all.
    Quiet,
}

impl Report {
    /// Settles what `report` works with.
    #[must_use]
    pub fn new(arguments: cli::Report, common: &Common) -> Self {
        let cli::Report { results, junit, json } = arguments;
        Self { results, junit, json, look: on_stdout(common) }
    }
}

impl Watch {
    /// Settles what `watch` works with.
    ///
    /// # Errors
    /// When the address or the run's id is none.
    pub fn new(arguments: cli::Watch, common: &Common) -> Result<Self, Error> {
        let cli::Watch { run, scheduler, junit, save, stored_in } = arguments;
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let drawn = std::io::stderr().is_terminal() && !dumb;
        let progress = match (common.quiet > 0, drawn) {
            (true, _) => Progress::Quiet,
            (false, true) => Progress::Drawn(on_stderr(common)),
            (false, false) => Progress::Lines(on_stderr(common)),
        };
        Ok(Self {
            run: run.map(RunId::new).transpose()?,
            scheduler: scheduler.parse()?,
            junit,
            save,
            stored_in,
            look: on_stdout(common),
            progress,
        })
    }
}

fn on_stdout(common: &Common) -> Look {
    let width = terminal_size::terminal_size_of(std::io::stdout());
    Look { color: common.color.on_stdout(), width: columns(width) }
}

fn on_stderr(common: &Common) -> Look {
    let width = terminal_size::terminal_size_of(std::io::stderr());
    Look { color: common.color.on_stderr(), width: columns(width) }
}

fn columns(size: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    let width = size.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
    width.max(LEAST_WIDTH)
}
