//! What a user asks of a run.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::Flaky;
use crate::coverage::Coverage;
use crate::hook::Hooks;
use crate::id::{RunId, SuiteName, TestId};
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

/// Bytes of a file that is taken out of a pod, where nothing else is said.
pub const ARTIFACT_LIMIT: u64 = 50 << 20;

/// What a user asks of a run; the same for `run` and `submit`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// Apps, modules, classes or methods; empty means everything.
    pub labels: Vec<String>,
    /// The same of suites that have labels of their own, which name nothing in others; empty means
    /// all of the suite.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub suite_labels: BTreeMap<SuiteName, Vec<String>>,
    /// What of the inventory is wanted.
    pub selection: Selection,
    /// The same of suites that have a wish of their own.
    pub suites: BTreeMap<SuiteName, Selection>,
    /// Stop once this many tests are red.
    pub max_failures: Option<u32>,
    /// Time limit of one test.
    pub test_timeout: Option<Seconds>,
    /// Time limit of a class, its fixtures included.
    pub class_timeout: Option<Seconds>,
    /// Time limit of an app's tests in one pod.
    pub app_timeout: Option<Seconds>,
    /// Time limit of the run.
    pub timeout: Option<Seconds>,
    /// Pods of this run at once; none: as many as there are slots.
    pub slots: Option<u32>,
    /// What a pod may use.
    pub limits: Limits,
    /// Whether every pod sets its databases up anew, also where kept ones fit.
    pub fresh_databases: bool,
    /// Shell commands around the tests.
    pub hooks: Hooks,
    /// Globs of files to take out of pods.
    pub artifacts: Vec<String>,
    /// Bytes of one such file; none: [`ARTIFACT_LIMIT`].
    pub artifact_limit: Option<u64>,
    /// That coverage is measured.
    pub coverage: Option<Coverage>,
    /// Further tries of a test that failed, ended in an error or took too long.
    pub retries: u32,
    /// Other numbers of further tries; the first that fits a test goes before `retries`.
    pub retry_rules: Vec<RetryRule>,
    /// What a test that passed in a later try makes of the run.
    pub flaky: Flaky,
    /// The seed by which classes and methods are shuffled.
    pub shuffle: Option<u64>,
    /// Dotted classes (subclasses match) or globs over class ids: of those that one of them
    /// matches, never two run at once, also not in different runs.
    pub serial: Vec<String>,
    /// Tests, or what holds them, such as classes and modules: nothing else of the selection is
    /// wanted. Empty wants all of it.
    pub only: Vec<TestId>,
    /// Whether the tests of `only` run in that order, in one pod.
    pub ordered: bool,
    /// Which repetition this is of a run that is repeated.
    pub iteration: Option<Iteration>,
    /// What the names of test databases begin with; none: Django's own `test_`.
    pub db_prefix: Option<String>,
    /// What apps have to themselves.
    pub isolation: Isolation,
}

/// What an app has to itself.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// A pod.
    #[default]
    App,
    /// A process, forked from one that has loaded Django: a slot keeps its pod.
    Fork,
}

/// Characters that a prefix of database names may have at most: names are short on some servers.
const DB_PREFIX_LIMIT: usize = 20;

/// Reads what the names of test databases shall begin with.
///
/// # Errors
/// When the text would have to be quoted somewhere, or is too long.
pub fn parse_db_prefix(text: &str) -> Result<String, String> {
    let is_plain = text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
    match is_plain && text.starts_with(|c: char| c.is_ascii_lowercase()) {
        true if text.len() <= DB_PREFIX_LIMIT => Ok(text.to_owned()),
        _ => Err(format!(
            "{text:?} cannot begin the names of databases; use a small letter, then up to {} \
             small letters, digits and underscores",
            DB_PREFIX_LIMIT - 1
        )),
    }
}

/// Further tries for some tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRule {
    /// Which tests.
    #[serde(flatten)]
    pub tests: RetriedTests,
    /// How many tries.
    pub retries: u32,
}

/// Tests that a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetriedTests {
    /// Those of classes that match: a dotted class (subclasses match) or a glob over class ids.
    Match(String),
    /// Those with a tag, of their own or of their class.
    Tag(String),
}

/// Which repetition a run is of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Iteration {
    /// From 1.
    pub number: u32,
    /// How many there will be at most.
    pub limit: u32,
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

impl Options {
    /// What is asked for of a suite by label.
    #[must_use]
    pub fn labels_of(&self, suite: &SuiteName) -> &[String] {
        self.suite_labels.get(suite).unwrap_or(&self.labels)
    }

    /// Every label, whatever it is for.
    pub fn all_labels(&self) -> impl Iterator<Item = &str> {
        let of_suites = self.suite_labels.values().flatten();
        self.labels.iter().chain(of_suites).map(String::as_str)
    }

    /// What of the inventory of a suite is wanted.
    #[must_use]
    pub fn selection_of(&self, suite: &SuiteName) -> &Selection {
        self.suites.get(suite).unwrap_or(&self.selection)
    }
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
    /// A command of `[hooks]` that prepares the run or a pod failed.
    SetupFailed {
        /// The command and how it ended.
        reason: String,
    },
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
