//! The fold over a run's journal: one entry at a time, live or stored, to the same state.

use std::collections::BTreeMap;

use muletrain_proto::id::{AgentId, AppLabel, ClassId, LeaseId, RunId, TestId};
use muletrain_proto::inventory::LoadError;
use muletrain_proto::journal::{Entry, Header, Record};
use muletrain_proto::outcome::Output;
use muletrain_proto::run::{Options, Stop};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::Snapshot;
use muletrain_proto::verdict::Verdict;

use super::around::Around;
use super::catalog::{Catalog, Source, Tried};
use super::events;
use super::lease::{LeaseState, Stage};
use super::summary::{Moment, Problem, ProblemKind, Try, between};
use super::words::{Place, Told, Which, Words};

/// A run as far as its journal tells it.
#[derive(Debug, Default)]
pub struct Fold {
    /// The run.
    pub run: Option<RunId>,
    /// What it tests.
    pub snapshot: Option<Box<Snapshot>>,
    /// What was asked of it.
    pub options: Box<Options>,
    /// What was asked for and is not there, in words.
    pub notes: Vec<String>,
    /// When the first entry was written.
    pub opened: Option<Moment>,
    /// When the last one was.
    pub latest: Moment,
    /// Every test heard of.
    pub catalog: Catalog,
    /// Every lease.
    pub leases: BTreeMap<LeaseId, LeaseState>,
    /// What went wrong outside of tests.
    pub problems: Vec<Problem>,
    /// Faults of hosts and agents.
    pub incidents: Vec<String>,
    /// Agents that set databases up once for all their pods, and how long it took.
    pub made: BTreeMap<AgentId, Option<Seconds>>,
    /// Time of each class's fixtures, by lease.
    pub fixtures: BTreeMap<(ClassId, LeaseId), Seconds>,
    /// Whether the inventory is known.
    pub collected: bool,
    /// Tests that the selection leaves out.
    pub deselected: u32,
    /// The lower bound of the last plan, and for how many slots.
    pub lower_bound: (Seconds, u32),
    /// Why no more work is handed out.
    pub stop: Option<Stop>,
    /// Whether the last record came.
    pub closed: bool,
    /// What it had beside its tests.
    pub around: Around,
    /// What is missing from the journal itself, in words.
    pub damage: Vec<String>,
    /// Number of the last entry.
    last: u64,
}

/// What an entry brought to light, for those who watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A lease was handed out.
    Leased(LeaseId),
    /// An agent sets databases up once for all its pods.
    Warming(AgentId),
    /// It has done so.
    Warmed(AgentId),
    /// A try of a test has its verdict.
    Verdict(TestId, u32),
    /// Something went wrong outside of tests: its place in [`Fold::problems`].
    Problem(usize),
    /// A host or an agent is in trouble: its place in [`Fold::incidents`].
    Incident(usize),
    /// Nothing more will come of a lease.
    Over(LeaseId),
    /// No more work is handed out.
    Stopping,
    /// Every test is accounted for.
    Closed,
}

impl Fold {
    /// Takes the first line of a journal.
    pub fn header(&mut self, header: Header) {
        self.run = Some(header.run);
    }

    /// The number of the entry that comes next.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.last + 1
    }

    /// Notes that something is missing from the journal itself.
    pub fn damaged(&mut self, what: String) {
        self.damage.push(what);
    }

    /// Takes note of how many tests a pod plans that its entry does not name.
    pub fn planned(&mut self, lease: LeaseId, tests: u32) {
        if let Some(lease) = self.leases.get_mut(&lease) {
            lease.planned = lease.planned.saturating_add(tests);
        }
    }

    /// Takes the next entry. One it has seen already changes nothing.
    pub fn apply(&mut self, entry: &Entry) -> Vec<Change> {
        self.apply_from(entry, None)
    }

    /// The same, where the entry's line can be read again: what a test says stays there.
    pub fn apply_from(&mut self, entry: &Entry, place: Option<Place>) -> Vec<Change> {
        if entry.number <= self.last {
            return Vec::new();
        }
        if entry.number > self.next() {
            let gap = format!("records {} to {} are missing", self.next(), entry.number - 1);
            self.damaged(gap);
        }
        self.last = entry.number;
        self.opened.get_or_insert(entry.at);
        self.latest = entry.at.max(self.latest);
        let mut step = Step { fold: self, at: entry.at, place, changes: Vec::new() };
        step.record(&entry.record);
        step.changes
    }
}

/// One entry on its way into the fold.
pub(super) struct Step<'a> {
    pub(super) fold: &'a mut Fold,
    pub(super) at: Moment,
    /// Where the entry can be read again.
    pub(super) place: Option<Place>,
    pub(super) changes: Vec<Change>,
}

impl Step<'_> {
    fn record(&mut self, record: &Record) {
        match record {
            Record::Opened { snapshot, options } => {
                self.fold.snapshot = Some(snapshot.clone());
                self.fold.options = options.clone();
                for hook in &options.hooks.ran {
                    self.hook(hook, None, None);
                }
            }
            Record::Planned { plan } => {
                self.fold.lower_bound = (plan.lower_bound, plan.slots);
            }
            // What an agent takes along is recorded as leases lost.
            Record::AgentJoined { .. } | Record::AgentLeft { .. } | Record::Estimated { .. } => {}
            Record::Granted { lease, grant } => self.lease(*lease, |lease| lease.grant(grant)),
            Record::Leased { lease, grant, place } => {
                let state = LeaseState::new(lease, grant.as_ref(), place, self.at);
                self.changes.push(Change::Leased(state.id));
                self.fold.leases.insert(state.id, state);
            }
            Record::Observed { lease, event, .. } => self.event(*lease, event),
            Record::LeaseLost { lease, reason } => {
                self.incident(*lease, &format!("lost: {reason}"));
                self.over(*lease);
            }
            Record::Inventory { inventory, deselected, notes, .. } => {
                self.fold.notes.extend(notes.iter().cloned());
                self.fold.collected = true;
                self.fold.deselected += *deselected;
                self.fold.catalog.extend(inventory, Source::Inventory);
                self.load_errors(&inventory.errors, None);
            }
            Record::Settled { test, r#try, verdict, reason, lease, lost } => {
                self.settled(test, *r#try, *verdict, reason, *lease, *lost);
            }
            Record::Stopping { stop } => {
                self.fold.stop.get_or_insert_with(|| stop.clone());
                self.changes.push(Change::Stopping);
            }
            Record::TearingDown => self.tearing_down(),
            Record::TornDown { hook } => self.hook(hook, None, None),
            Record::Closed => {
                self.fold.closed = true;
                self.changes.push(Change::Closed);
            }
        }
    }

    pub(super) fn lease(&mut self, id: LeaseId, change: impl FnOnce(&mut LeaseState)) {
        if let Some(lease) = self.fold.leases.get_mut(&id) {
            change(lease);
        }
    }

    pub(super) fn app_of(&self, lease: LeaseId) -> Option<AppLabel> {
        self.fold.leases.get(&lease)?.app.clone()
    }

    pub(super) fn over(&mut self, id: LeaseId) {
        if self.fold.leases.get(&id).is_some_and(LeaseState::is_open) {
            let at = self.at;
            self.lease(id, |lease| {
                lease.stage = Stage::Over;
                lease.ended = Some(at);
                lease.running.clear();
            });
            self.changes.push(Change::Over(id));
        }
    }

    pub(super) fn incident(&mut self, id: LeaseId, what: &str) {
        let text = match self.fold.leases.get(&id) {
            Some(lease) => format!("{} on {}: {what}", lease.name(), lease.place.agent),
            None => format!("lease {id}: {what}"),
        };
        self.changes.push(Change::Incident(self.fold.incidents.len()));
        self.fold.incidents.push(text);
    }

    /// A problem under an id it had already, such as the same module failing to load in each pod
    /// that scans it, is the same problem; what it has to say beyond that is kept.
    pub(super) fn problem(&mut self, problem: Problem) {
        match self.fold.problems.iter_mut().find(|old| old.id == problem.id) {
            Some(old) => {
                for failure in problem.failures {
                    if !old.failures.contains(&failure) {
                        old.failures.push(failure);
                    }
                }
            }
            None => {
                self.changes.push(Change::Problem(self.fold.problems.len()));
                self.fold.problems.push(problem);
            }
        }
    }

    pub(super) fn load_errors(&mut self, errors: &[LoadError], lease: Option<LeaseId>) {
        for error in errors {
            self.problem(Problem {
                id: error.id.to_string(),
                kind: ProblemKind::Load,
                app: Some(error.app.clone()),
                class: None,
                verdict: Verdict::Error,
                failures: error.failures.clone(),
                output: Output::default(),
                lease,
                at: self.at,
            });
        }
    }

    /// A verdict on a try, from whoever came first.
    pub(super) fn verdict(&mut self, test: &TestId, new: Try) {
        let tried = Tried::new(&new);
        let told = Told { reason: new.reason, failures: new.failures, output: new.output };
        self.tried(test, tried, |words| words.keep(told));
    }

    pub(super) fn tried(
        &mut self,
        test: &TestId,
        mut new: Tried,
        words: impl FnOnce(&mut Words) -> Which,
    ) {
        let lease = new.lease().and_then(|id| self.fold.leases.get_mut(&id));
        let app = lease.as_ref().and_then(|lease| lease.app.clone());
        let since = lease.and_then(|lease| lease.settle(test, new.number, new.verdict));
        if let Some(since) = since {
            new.begun(since);
            if new.verdict != Verdict::NotRun {
                new.took(between(since, self.at));
            }
        }
        let place = self.fold.catalog.test(test, app.as_ref());
        if self.fold.catalog.record(place, new, words) {
            self.changes.push(Change::Verdict(test.clone(), new.number));
        }
    }

    fn settled(
        &mut self,
        test: &TestId,
        number: u32,
        verdict: Verdict,
        reason: &str,
        lease: Option<LeaseId>,
        lost: bool,
    ) {
        let bare = Try::not_run(number, reason.to_owned(), lost, lease);
        let new = match verdict {
            Verdict::NotRun => bare,
            verdict => Try { verdict, failures: vec![events::bare(verdict, reason)], ..bare },
        };
        self.verdict(test, new);
    }
}
