//! The state of one run: its leases, its apps and its ledger, as its journal made them.

use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::event::{Event, LimitOf, Phase};
use muletrain_proto::hook::{Hook, Scope, Stage};
use muletrain_proto::id::{AppLabel, LeaseId, RunId, SuiteName, TestId};
use muletrain_proto::journal::{Record, Unmatched};
use muletrain_proto::lease::{Grant, Lease, Place, Work};
use muletrain_proto::outcome::Ending;
use muletrain_proto::plan::Plan;
use muletrain_proto::run::{Options, Stop};
use muletrain_proto::snapshot::Snapshot;
use muletrain_proto::suite::Suite;
use muletrain_proto::verdict::Verdict;

use super::Moment;
use super::around::Around;
use super::cost::{self, Costs, Pace};
pub use super::held::Held;
use super::label::{self, Target};
use super::ledger::Ledger;
use super::rules::Rules;

/// The state of one run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// What it tests.
    pub snapshot: Box<Snapshot>,
    /// What was asked for.
    pub options: Box<Options>,
    /// What the labels mean.
    pub targets: Vec<Target>,
    /// When it was opened.
    pub opened: Moment,
    /// Apps in the order they start.
    pub plan: Plan,
    /// What its options say of single tests.
    pub rules: Rules,
    /// What past runs say of its tests.
    pub costs: Costs,
    /// What it shows itself of how long things take.
    pub pace: Pace,
    /// Suites whose tests are all in the ledger.
    pub collected: BTreeSet<SuiteName>,
    /// What was asked for and is not there, in words.
    pub notes: Vec<String>,
    /// What was asked for of each suite that is collected, and matches nothing in it.
    pub unmatched: BTreeMap<SuiteName, Vec<Unmatched>>,
    /// The account of every test.
    pub ledger: Ledger,
    /// Leases that are not over.
    pub leases: BTreeMap<LeaseId, Held>,
    /// Leases made so far.
    pub lease_count: u32,
    /// When a lease was last made or over.
    pub lease_changed: Moment,
    /// Apps that something is known of.
    pub apps: BTreeMap<AppLabel, AppState>,
    /// Collections that failed for no fault of the project.
    pub lost_collections: u32,
    /// Suites that cannot be loaded, or whose tests cannot be collected.
    pub unbootable: BTreeSet<SuiteName>,
    /// The command that prepares the run or every pod, and how it failed.
    pub setup_failed: Option<String>,
    /// Why no further work is handed out.
    pub stop: Option<Stop>,
    /// Since when.
    pub stopped: Moment,
    /// A pod has seen the time of the run end.
    pub is_overdue: bool,
    /// What it has to do beside its tests.
    pub around: Around,
    /// Everything is accounted for.
    pub closed: bool,
}

/// What is known of an app.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AppState {
    /// It was leased as a whole, before its tests were known.
    pub opened: bool,
    /// Leases lost for no fault of the project.
    pub lost_leases: u32,
    /// Leases that closed and left tests without a verdict.
    pub unanswered: u32,
    /// A further pod for it went wrong: it gets no other.
    pub unshared: bool,
    /// Why the rest of it will not run.
    pub broken: Option<Broken>,
}

/// Why the rest of an app will not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// In words.
    pub reason: String,
    /// Because work was lost, and not because of something that is reported red.
    pub lost: bool,
}

/// Leases of an app, or collections, that may be lost before it is given up.
pub const LOST_LIMIT: u32 = 3;

/// Leases that may close and leave tests without a verdict.
const UNANSWERED_LIMIT: u32 = 2;

impl Run {
    /// A run just opened.
    #[must_use]
    pub fn new(id: RunId, snapshot: Box<Snapshot>, options: Box<Options>, now: Moment) -> Self {
        // Labels were resolved before the run was accepted, so this cannot fail again.
        let targets = label::resolve(&options, &snapshot).unwrap_or_default();
        // Neither can its patterns be wrong.
        let rules = Rules::new(&options).and_then(|rules| rules.with_services(&snapshot.services));
        let rules = rules.unwrap_or_default();
        Self {
            id,
            snapshot,
            options,
            targets,
            opened: now,
            plan: Plan::default(),
            rules,
            costs: Costs::default(),
            pace: Pace::default(),
            collected: BTreeSet::new(),
            notes: Vec::new(),
            unmatched: BTreeMap::new(),
            ledger: Ledger::default(),
            leases: BTreeMap::new(),
            lease_count: 0,
            lease_changed: now,
            apps: BTreeMap::new(),
            lost_collections: 0,
            unbootable: BTreeSet::new(),
            setup_failed: None,
            stop: None,
            stopped: now,
            is_overdue: false,
            around: Around::default(),
            closed: false,
        }
    }

    /// Makes the change that a record tells of.
    pub fn apply(&mut self, now: Moment, record: &Record) {
        match record {
            // Makes the run, which its state's owner does.
            Record::Opened { .. } => {}
            // The fleet is not part of a run's state.
            Record::AgentJoined { .. } | Record::AgentLeft { .. } => {}
            Record::Planned { plan } => self.plan = plan.clone(),
            Record::Estimated { estimates } => self.costs = Costs::new(estimates.clone()),
            Record::Granted { lease, grant } => self.grant(*lease, grant),
            Record::Leased { lease, grant, place } => self.lease(now, lease, grant, place),
            Record::Observed { lease, sequence, event } => {
                self.observe(now, *lease, *sequence, event);
            }
            Record::LeaseLost { lease, reason } => {
                let reason = reason.clone();
                self.end(now, *lease, &Ending::Infrastructure { reason });
            }
            Record::Inventory { inventory, suite, notes, unmatched, .. } => {
                self.notes.extend(notes.iter().cloned());
                self.unmatched.insert(suite.clone(), unmatched.clone());
                self.ledger.add(inventory, &self.rules, &self.costs);
                self.collected.insert(suite.clone());
            }
            Record::Settled { test, r#try, verdict, .. } => {
                self.ledger.settle(test, *r#try, *verdict);
            }
            Record::Stopping { stop } => (self.stop, self.stopped) = (Some(stop.clone()), now),
            Record::TearingDown => self.around.tear_down(now),
            Record::TornDown { hook } => self.hook(&AppLabel::other(), hook),
            Record::Closed => self.closed = true,
        }
    }

    fn lease(&mut self, now: Moment, lease: &Lease, grant: &Option<Grant>, place: &Place) {
        self.lease_count = self.lease_count.max(lease.key.lease.0);
        self.lease_changed = now;
        if let Work::Run { app, tests, .. } = &lease.work {
            self.apps.entry(app.clone()).or_default().opened |= tests.is_none();
        }
        let held = Held::new(now, lease, place);
        self.leases.insert(lease.key.lease, held);
        if let Some(grant) = grant {
            self.grant(lease.key.lease, grant);
        }
    }

    fn grant(&mut self, lease: LeaseId, grant: &Grant) {
        let Some(held) = self.leases.get_mut(&lease) else { return };
        match &grant.tests {
            Some(tests) => {
                for test in tests {
                    self.ledger.grant(&test.id, test.r#try, lease);
                    if test.r#try != 1 {
                        held.tries.insert(test.id.clone(), test.r#try);
                    }
                    let Some(account) = self.ledger.get(&test.id) else { continue };
                    held.phase = held.phase.max(account.phase);
                    held.locks.extend(account.locks.iter().cloned());
                }
            }
            None => {
                for test in held.planned.iter().flatten() {
                    self.ledger.grant(test, 1, lease);
                }
            }
        }
        held.grant = Some(grant.clone());
    }

    fn observe(&mut self, now: Moment, lease: LeaseId, sequence: u64, event: &Event) {
        let Some(held) = self.leases.get_mut(&lease) else { return };
        held.sequence = sequence;
        self.around.observe(lease, event);
        let app = held.lease.work.app().cloned();
        match event {
            Event::Warming(_) => held.since = now,
            Event::Planned(planned) => {
                self.ledger.add(&planned.inventory, &self.rules, &self.costs);
                held.plan(planned);
            }
            Event::Ready(_) => {
                // Where a journal is applied again, no time passes.
                let time = now.saturating_sub(held.since);
                if time > 0 {
                    self.pace.set_up(time.saturating_mul(1000));
                }
            }
            Event::Found(found) => {
                self.ledger.add(&found.inventory, &self.rules, &self.costs);
                for test in found.inventory.classes.iter().flat_map(|class| &class.tests) {
                    self.ledger.grant(&test.id, 1, lease);
                }
            }
            Event::Done { grant } => held.done = *grant,
            Event::Started { test, .. } => held.running = Some(test.clone()),
            Event::Finished(finished) => {
                held.verdicts += 1;
                held.running = None;
                held.went_on |= self.stop.is_some();
                self.pace.tested(cost::micros(finished.seconds));
                let r#try = held.granted_try(&finished.test);
                self.ledger.settle(&finished.test, r#try, finished.verdict);
            }
            Event::TimedOut(timed_out) => {
                held.verdicts += 1;
                held.running = None;
                let r#try = held.granted_try(&timed_out.test);
                self.ledger.settle(&timed_out.test, r#try, Verdict::TimedOut);
                for test in &timed_out.tests {
                    let r#try = held.granted_try(test);
                    self.ledger.settle(test, r#try, Verdict::NotRun);
                }
                self.is_overdue |= timed_out.limit_of == LimitOf::Run;
                if let (LimitOf::App, Some(app)) = (timed_out.limit_of, &app) {
                    let reason = format!("the time limit of its app was up in {}", timed_out.test);
                    self.break_app(app, reason, false);
                }
            }
            Event::Fixture(fixture) => {
                held.verdicts += 1;
                let app = app.unwrap_or_else(AppLabel::other);
                self.ledger.settle_extra(&fixture.id, &app, fixture.verdict);
                for test in &fixture.tests {
                    self.ledger.settle(test, held.granted_try(test), Verdict::NotRun);
                }
            }
            Event::Failed(_) if matches!(held.lease.work, Work::Combine { .. }) => {}
            Event::Failed(failed) => {
                let suite = held.lease.suite.clone();
                self.fail(app.as_ref(), &suite, failed.phase);
            }
            Event::Hook(hook) => self.hook(&app.unwrap_or_else(AppLabel::other), hook),
            Event::Ended(ending) => self.end(now, lease, ending),
            Event::PodStarted(_)
            | Event::Booted(_)
            | Event::Collected(_)
            | Event::Class(_)
            | Event::Artifact(_)
            | Event::Warnings(_)
            | Event::Combined(_)
            | Event::Closed(_) => {}
        }
    }

    /// A command that failed is a red result of its own; what prepares pods fails in every pod.
    fn hook(&mut self, app: &AppLabel, hook: &Hook) {
        if !hook.is_failed() {
            return;
        }
        self.ledger.settle_extra(&extra(app, &hook.name()), app, Verdict::Error);
        if hook.stage == Stage::Setup {
            let reason = format!("`{}` {}", hook.command, hook.how());
            match hook.scope {
                Scope::App => self.break_app(app, format!("app setup failed: {reason}"), false),
                Scope::Pod | Scope::Run => {
                    self.setup_failed.get_or_insert(reason);
                }
            }
        }
    }

    fn fail(&mut self, app: Option<&AppLabel>, suite: &SuiteName, phase: Phase) {
        let reason = match phase {
            // The command says so itself.
            Phase::Setup => return,
            Phase::Boot => "Django could not be loaded",
            Phase::Checks => "system checks failed",
            Phase::Collect => "test modules could not be loaded",
            Phase::Databases => "databases could not be set up",
            Phase::Run => "the test runner failed",
            Phase::Teardown => "taking the databases down failed",
        };
        match app {
            Some(app) => {
                self.ledger.settle_extra(&extra(app, reason), app, Verdict::Error);
                if phase != Phase::Teardown {
                    self.break_or_keep(app, reason.to_owned());
                }
            }
            None => self.give_up(suite),
        }
        // What every pod has in common fails in every pod: no need to see it again.
        if matches!(phase, Phase::Boot | Phase::Checks) {
            self.give_up(suite);
        }
    }

    /// Nothing of a suite will run any more.
    fn give_up(&mut self, suite: &SuiteName) {
        self.unbootable.insert(suite.clone());
        let of_suite =
            |app: &&AppLabel| self.snapshot.suite_of(app).is_some_and(|known| known.name == *suite);
        let known = self.snapshot.apps.iter().map(|app| &app.label);
        let apps: BTreeSet<AppLabel> =
            known.chain(self.ledger.open_apps()).filter(of_suite).cloned().collect();
        for app in &apps {
            self.break_app(app, "its suite could not be loaded".to_owned(), false);
        }
    }

    fn end(&mut self, now: Moment, lease: LeaseId, ending: &Ending) {
        let Some(held) = self.leases.remove(&lease) else { return };
        self.lease_changed = now;
        if let (Ending::Infrastructure { .. }, Some(test)) = (ending, &held.running) {
            self.ledger.lose(test);
        }
        let is_unanswered = held.verdicts == 0
            && (self.ledger.held(lease).is_some() || !held.grant.is_some_and(|grant| grant.last));
        self.ledger.release(lease);
        if let Work::Combine { .. } = held.lease.work {
            self.around.end_combination(ending);
            return;
        }
        let Some(app) = held.lease.work.app() else {
            self.end_collection(ending, &held.lease.suite);
            return;
        };
        match ending {
            Ending::Infrastructure { reason } => {
                // One host that is lost is one loss, however many of its pods worked on the app.
                let same = |other: &Held| {
                    other.lease.work.app() == Some(app) && other.place.agent == held.place.agent
                };
                if !self.leases.values().any(same) {
                    self.lose(app, reason);
                }
            }
            Ending::Crashed(death) => {
                let blamed = held.running.is_some() || death.running.is_some();
                if !blamed {
                    let id = extra(app, "its process died");
                    self.ledger.settle_extra(&id, app, Verdict::Crashed);
                }
                // Where no test can be blamed and none got anywhere, another pod dies as well.
                if !blamed && held.verdicts == 0 {
                    let reason = format!("the process of its app died: {}", death.reason);
                    self.break_or_keep(app, reason);
                }
            }
            Ending::Closed if is_unanswered => self.leave_unanswered(app),
            Ending::Closed => {}
            Ending::Failed | Ending::TimedOut | Ending::Revoked => {}
        }
    }

    fn end_collection(&mut self, ending: &Ending, suite: &SuiteName) {
        match ending {
            Ending::Infrastructure { .. } => self.lost_collections += 1,
            Ending::Crashed(_) | Ending::Failed | Ending::TimedOut => self.give_up(suite),
            Ending::Closed => {
                self.lost_collections += u32::from(!self.collected.contains(suite));
            }
            Ending::Revoked => {}
        }
    }

    fn lose(&mut self, app: &AppLabel, reason: &str) {
        let state = self.apps.entry(app.clone()).or_default();
        state.lost_leases += 1;
        // The tests of a whole-app lease that got nowhere are still unknown.
        state.opened &= self.ledger.open_tests(app).next().is_some();
        if state.lost_leases >= LOST_LIMIT {
            let reason = format!("work was lost {LOST_LIMIT} times, last because {reason}");
            self.break_app(app, reason, true);
        }
    }

    fn leave_unanswered(&mut self, app: &AppLabel) {
        let state = self.apps.entry(app.clone()).or_default();
        state.unanswered += 1;
        if state.unanswered >= UNANSWERED_LIMIT {
            self.break_app(app, "its pod closed without a verdict on it".to_owned(), true);
        }
    }

    /// What goes wrong in one pod of an app while another is well is no reason to end the app, but
    /// one to leave it to the other.
    fn break_or_keep(&mut self, app: &AppLabel, reason: String) {
        let is_well = |held: &Held| held.lease.work.app() == Some(app) && held.verdicts > 0;
        match self.leases.values().any(is_well) {
            true => self.apps.entry(app.clone()).or_default().unshared = true,
            false => self.break_app(app, reason, false),
        }
    }

    fn break_app(&mut self, app: &AppLabel, reason: String, lost: bool) {
        let state = self.apps.entry(app.clone()).or_default();
        state.broken.get_or_insert(Broken { reason, lost });
    }

    /// Apps that some lease is working on.
    #[must_use]
    pub fn live_apps(&self) -> BTreeSet<&AppLabel> {
        self.leases.values().filter_map(|held| held.lease.work.app()).collect()
    }

    /// Suites that something is wanted of.
    pub fn suites(&self) -> impl Iterator<Item = &Suite> {
        let is_wanted = |suite: &&Suite| {
            let mut targets = self.targets.iter();
            self.targets.is_empty() || targets.any(|target| target.suite == suite.name)
        };
        self.snapshot.suites.iter().filter(is_wanted)
    }

    /// Whether every test is in the ledger that can be known.
    #[must_use]
    pub fn inventory_known(&self) -> bool {
        self.suites().all(|suite| self.is_collected(&suite.name))
    }

    /// Whether nothing further will be known of the tests of a suite.
    fn is_collected(&self, suite: &SuiteName) -> bool {
        self.collected.contains(suite) || self.unbootable.contains(suite)
    }

    /// Whether nothing that is wanted can be loaded.
    #[must_use]
    pub fn is_unbootable(&self) -> bool {
        !self.unbootable.is_empty()
            && self.suites().all(|suite| self.unbootable.contains(&suite.name))
    }

    /// A suite that has to be collected and is not being collected.
    #[must_use]
    pub fn uncollected(&self) -> Option<&Suite> {
        let is_under_way = |suite: &SuiteName| {
            let is_it = |held: &Held| {
                matches!(held.lease.work, Work::Collect { .. }) && held.lease.suite == *suite
            };
            self.leases.values().any(is_it)
        };
        let mut suites = self.suites();
        suites.find(|suite| !self.is_collected(&suite.name) && !is_under_way(&suite.name))
    }

    /// What is wanted of a suite by label.
    #[must_use]
    pub fn targets_in(&self, suite: &SuiteName) -> Vec<&Target> {
        self.targets.iter().filter(|target| target.suite == *suite).collect()
    }
}

/// The id of a red result that is no test.
fn extra(app: &AppLabel, what: &str) -> TestId {
    TestId::new(format!("{app} ({what})"))
        .unwrap_or_else(|_| TestId::new("(app)").expect("a constant name is a valid id"))
}
