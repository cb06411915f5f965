//! What a report says: every test with its outcome, everything else that went wrong, the totals.

use std::collections::BTreeMap;

use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::{AgentId, AppLabel, ClassId, LeaseId, RunId, TestId};
use muletrain_proto::outcome::{Failure, Output};
use muletrain_proto::run::{Options, Stop};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::Snapshot;
use muletrain_proto::verdict::Verdict;

use super::around::Around;
use super::counts::Counts;
use super::lease::LeaseState;

/// Milliseconds since 1970, on the scheduler's clock.
pub type Moment = u64;

/// Everything a report says of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The run; unknown where its journal was cut off in the first line.
    pub run: Option<RunId>,
    /// Result files of other tools that it was made from; none for a journal.
    pub files: usize,
    /// What it tested.
    pub snapshot: Option<Box<Snapshot>>,
    /// What was asked of it.
    pub options: Box<Options>,
    /// What was asked for and is not there, in words.
    pub notes: Vec<String>,
    /// When its first record was written.
    pub opened: Moment,
    /// When its last record was written.
    pub ended: Moment,
    /// Apps, by label.
    pub apps: Vec<AppReport>,
    /// Classes that [`TestReport::class`] points into.
    pub classes: Vec<ClassInfo>,
    /// Every test, by app and then as the inventory has them.
    pub tests: Vec<TestReport>,
    /// What went wrong outside of tests, in the order it happened.
    pub problems: Vec<Problem>,
    /// Faults of hosts and agents along the way; no results, but worth knowing.
    pub incidents: Vec<String>,
    /// How long agents took that set databases up once for all their pods.
    pub made: BTreeMap<AgentId, Seconds>,
    /// Leases, as they ended.
    pub leases: BTreeMap<LeaseId, LeaseState>,
    /// Time of each class's fixtures, by lease.
    pub fixtures: BTreeMap<(ClassId, LeaseId), Seconds>,
    /// What the run had beside its tests.
    pub around: Around,
    /// Tests that the selection left out.
    pub deselected: u32,
    /// Why the run ended early.
    pub stop: Option<Stop>,
    /// What keeps the report from being whole, in words.
    pub unfinished: Vec<String>,
    /// Totals.
    pub counts: Counts,
    /// The lower bound its last plan worked out, and for how many slots; zero where nothing was
    /// known of the past.
    pub lower_bound: (Seconds, u32),
    /// What it all comes to.
    pub exit: ExitCode,
}

impl Summary {
    /// Whether other tools ran the tests. Then nobody knows how long the whole run took: clocks of
    /// different hosts are not compared.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.files > 0
    }

    /// Time from the first record to the last; none for results of other tools.
    #[must_use]
    pub fn wall(&self) -> Seconds {
        between(self.opened, self.ended)
    }

    /// Time of all tests and their fixtures, added up.
    #[must_use]
    pub fn work(&self) -> Seconds {
        self.apps.iter().map(|app| app.work).sum()
    }

    /// The class of a test.
    #[must_use]
    pub fn class(&self, test: &TestReport) -> &ClassInfo {
        &self.classes[test.class]
    }

    /// The agent that had a lease.
    #[must_use]
    pub fn agent(&self, lease: Option<LeaseId>) -> Option<&AgentId> {
        self.leases.get(&lease?).map(|lease| &lease.place.agent)
    }
}

/// The time between two moments of one clock; none where the clock went backwards.
#[must_use]
pub fn between(earlier: Moment, later: Moment) -> Seconds {
    std::time::Duration::from_millis(later.saturating_sub(earlier)).into()
}

/// Where a class is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassInfo {
    /// `module.Class`.
    pub id: ClassId,
    /// The app that owns it.
    pub app: AppLabel,
    /// Its module.
    pub module: String,
    /// Where it is defined, as far as known.
    pub file: Option<String>,
    /// Line of the definition.
    pub line: Option<u32>,
    /// Most resident memory while it ran, where it is known.
    pub peak_kib: Option<u64>,
}

/// A test and everything known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TestReport {
    /// Which.
    pub id: TestId,
    /// Place of its class in [`Summary::classes`].
    pub class: usize,
    /// Line of its definition, where it is known apart from its class.
    pub line: Option<u32>,
    /// How it ended.
    pub outcome: Outcome,
    /// The try that decided it.
    pub decisive: Try,
    /// The other tries, in order.
    pub others: Vec<Try>,
}

/// How a test ended, over all its tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict that counts.
    pub verdict: Verdict,
    /// It failed before it passed.
    pub flaky: bool,
}

impl Outcome {
    /// The outcome as formats write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self.flaky {
            true => "flaky",
            false => self.verdict.as_str(),
        }
    }
}

/// One try of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Try {
    /// From 1.
    pub number: u32,
    /// How it ended.
    pub verdict: Verdict,
    /// For a test not run: because work was lost.
    pub lost: bool,
    /// Time it took, where it ran.
    pub seconds: Option<Seconds>,
    /// Why it was skipped, or has no result.
    pub reason: Option<String>,
    /// Everything that was raised.
    pub failures: Vec<Failure>,
    /// What it printed.
    pub output: Output,
    /// The lease under which it ran.
    pub lease: Option<LeaseId>,
    /// When it began.
    pub started: Option<Moment>,
}

impl Try {
    /// A try that has no result.
    #[must_use]
    pub fn not_run(number: u32, reason: String, lost: bool, lease: Option<LeaseId>) -> Self {
        Self {
            number,
            verdict: Verdict::NotRun,
            lost,
            seconds: None,
            reason: Some(reason),
            failures: Vec::new(),
            output: Output::default(),
            lease,
            started: None,
        }
    }
}

/// Something that went wrong outside of tests.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What it is called, such as `setUpClass (shop.tests.CartTest)` or `shop (databases)`.
    pub id: String,
    /// What kind of thing went wrong.
    pub kind: ProblemKind,
    /// The app it belongs to; none where it concerns the whole run.
    pub app: Option<AppLabel>,
    /// The class whose fixture it was.
    pub class: Option<ClassId>,
    /// Failed, error, or crashed.
    pub verdict: Verdict,
    /// Everything that was raised.
    pub failures: Vec<Failure>,
    /// What was printed meanwhile.
    pub output: Output,
    /// The lease under which it happened first.
    pub lease: Option<LeaseId>,
    /// When it happened first.
    pub at: Moment,
}

/// What kind of thing went wrong outside of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// A module that cannot be loaded.
    Load,
    /// A fixture of a class or a module.
    Fixture,
    /// A stage of a pod's life.
    Pod,
    /// A suite of another tool, or a file that cannot be read to its end.
    Report,
}

/// An app's part of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct AppReport {
    /// Which.
    pub label: AppLabel,
    /// Its totals.
    pub counts: Counts,
    /// Time of its tests and their fixtures, added up.
    pub work: Seconds,
    /// Time until its first test could start: pod, boot, loading, databases; added up over pods.
    pub setup: Seconds,
    /// The part of it that databases took.
    pub databases: Seconds,
    /// Whether all its pods began with kept databases; none where none has databases.
    pub kept: Option<bool>,
    /// Who ran it, by name.
    pub agents: Vec<AgentId>,
}
