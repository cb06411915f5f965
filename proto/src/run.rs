//! What a user asks of a run.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::RunId;
use crate::seconds::Seconds;
use crate::snapshot::Snapshot;

/// A run that someone hands in.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// What it tests.
    pub snapshot: Snapshot,
    /// What is asked for.
    pub options: Options,
    /// Values for `[env] pass`.
    pub secrets: Secrets,
}

/// A wish to follow a run's journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Watch {
    /// Which; none: the newest.
    pub run: Option<RunId>,
    /// Lines before this number are not wanted; 0 starts with the header.
    pub from: u64,
}

/// A run in a list of runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Which.
    pub run: RunId,
    /// Name of the project.
    pub project: String,
    /// Milliseconds since 1970, on the scheduler's clock.
    pub opened_at: u64,
    /// How far it is.
    pub state: State,
    /// Tests to account for, as far as known.
    pub tests: u32,
    /// Tests accounted for.
    pub settled: u32,
    /// Red tests among these.
    pub red: u32,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Work is handed out.
    Running,
    /// What was handed out comes to its end; nothing follows.
    Stopping,
    /// Every test is accounted for.
    Closed,
}

/// What a user asks of a run; the same for `run` and `submit`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Apps, modules, classes or methods; empty means everything.
    pub labels: Vec<String>,
    /// What of the inventory is wanted.
    pub selection: Selection,
    /// Stop once this many tests are red.
    pub max_failures: Option<u32>,
    /// Time limit of one test.
    pub test_timeout: Option<Seconds>,
    /// Time limit of the run.
    pub timeout: Option<Seconds>,
    /// Pods of this run at once; none: as many as there are slots.
    pub slots: Option<u32>,
    /// What a pod may use.
    pub limits: Limits,
    /// Whether every pod sets its databases up anew, also where kept ones fit.
    pub fresh_databases: bool,
}

/// What of the inventory is wanted. Empty lists want everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// Dotted classes (subclasses match) or globs over class ids: at least one must match.
    pub include: Vec<String>,
    /// The same: none may match.
    pub exclude: Vec<String>,
    /// At least one of these tags.
    pub tags: Vec<String>,
    /// None of these tags.
    pub exclude_tags: Vec<String>,
    /// Substring of the test id, or a glob over it, as `-k` of unittest: at least one must match.
    pub patterns: Vec<String>,
}

impl Selection {
    /// Whether everything is wanted.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

/// What one pod may use.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Memory in bytes, swap included.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u32,
    /// Processors, in thousandths; none: as many as the host has.
    pub cpu_millis: Option<u32>,
    /// Bytes kept of one test's output.
    pub output: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 2 << 30, processes: 512, cpu_millis: None, output: 64 << 10 }
    }
}

/// Values of the variables that `[env] pass` names. Sent only to agents that hold a lease of the
/// run; never written to a journal, a label, an image or a log.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secrets(pub BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why a run ends before its work is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Stop {
    /// A person or a signal.
    Interrupted,
    /// `--failfast` or `--max-failures`.
    FailureLimit {
        /// Red tests at that moment.
        failures: u32,
    },
    /// `--timeout`.
    Timeout {
        /// The limit.
        limit: Seconds,
    },
    /// The snapshot cannot boot: settings raise, or the harness cannot start.
    CannotBoot,
    /// No agent can do the work.
    Infrastructure {
        /// What is missing and what to do.
        reason: String,
    },
    /// The labels or the selection match nothing.
    NothingSelected {
        /// In words, with near matches.
        reason: String,
    },
}
