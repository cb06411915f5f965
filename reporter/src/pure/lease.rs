//! One lease, as its records tell it: where it is, how far, how long each stage took.

use std::collections::HashMap;

use muletrain_proto::event::Phase;
use muletrain_proto::id::{AppLabel, LeaseId, TestId};
use muletrain_proto::lease::{Grant, Lease, Place, Work};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::summary::Moment;

/// One lease.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaseState {
    /// Which.
    pub id: LeaseId,
    /// The app it runs; none for a collection.
    pub app: Option<AppLabel>,
    /// Whether it makes one report of what others measured of their coverage.
    pub combines: bool,
    /// Where.
    pub place: Place,
    /// When it was handed out.
    pub leased: Moment,
    /// How far it is.
    pub stage: Stage,
    /// Tests that run now. One, unless something is wrong.
    pub running: Vec<Running>,
    /// Time of each stage before the first test.
    pub setup: Setup,
    /// The same stages, with the moments they ended.
    pub spans: Vec<Span>,
    /// When nothing more came of it.
    pub ended: Option<Moment>,
    /// Whether it waits for databases that are being set up once for all pods.
    pub waiting: bool,
    /// Whether it began with kept databases; none where it has no databases.
    pub kept: Option<bool>,
    /// Tests its pod said it would run.
    pub planned: u32,
    /// Verdicts that came from it.
    pub finished: u32,
    /// The test, and which try of it, under which its process died.
    pub crashed: Option<(TestId, u32)>,
    /// Peak resident memory.
    pub peak_kib: Option<u64>,
    /// Tries other than the first, as granted.
    tries: HashMap<TestId, u32>,
}

/// A test that runs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Which.
    pub test: TestId,
    /// Which try of it.
    pub number: u32,
    /// Since when.
    pub since: Moment,
}

/// A stage that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Which.
    pub stage: Stage,
    /// Time it took, by the clock of its host.
    pub seconds: Seconds,
    /// When the scheduler heard that it was over.
    pub ended: Moment,
}

/// How far a lease is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Its pod is being started.
    Starting,
    /// Django is being loaded.
    Booting,
    /// Test modules are being loaded.
    Loading,
    /// Databases are being set up.
    Databases,
    /// Tests run.
    Testing,
    /// Its sentinel came.
    Closed,
    /// Nothing more will come of it, by its agent's word or the scheduler's.
    Over,
}

impl Stage {
    /// In words, as a thing that goes on.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Booting => "loading Django",
            Self::Loading => "loading tests",
            Self::Databases => "setting up databases",
            Self::Testing => "running tests",
            Self::Closed | Self::Over => "closing",
        }
    }

    /// The stage as an error's id names it.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::Starting | Self::Booting => Phase::Boot,
            Self::Loading => Phase::Collect,
            Self::Databases => Phase::Databases,
            Self::Testing => Phase::Run,
            Self::Closed | Self::Over => Phase::Teardown,
        }
    }
}

/// Time of each stage before the first test.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Setup {
    /// Starting the pod.
    pub pod: Seconds,
    /// Loading Django.
    pub boot: Seconds,
    /// Loading test modules.
    pub load: Seconds,
    /// Setting up databases.
    pub databases: Seconds,
}

impl Setup {
    /// All of it.
    #[must_use]
    pub fn total(self) -> Seconds {
        self.pod + self.boot + self.load + self.databases
    }
}

impl LeaseState {
    /// A lease that was just handed out.
    #[must_use]
    pub fn new(lease: &Lease, grant: Option<&Grant>, place: &Place, leased: Moment) -> Self {
        let mut state = Self {
            combines: matches!(lease.work, Work::Combine { .. }),
            stage: Stage::Starting,
            ..Self::over(lease.key.lease, lease.work.app().cloned(), place.clone(), leased)
        };
        grant.into_iter().for_each(|grant| state.grant(grant));
        state
    }

    /// Takes note of tests that it may run.
    pub fn grant(&mut self, grant: &Grant) {
        let granted = grant.tests.as_deref().unwrap_or_default();
        let again = granted.iter().filter(|test| test.r#try != 1);
        self.tries.extend(again.map(|test| (test.id.clone(), test.r#try)));
    }

    /// Stands for the place where another tool ran a suite.
    #[must_use]
    pub fn elsewhere(id: LeaseId, app: AppLabel, place: Place, at: Moment) -> Self {
        Self::over(id, Some(app), place, at)
    }

    /// One that is over before anything is known of it.
    fn over(id: LeaseId, app: Option<AppLabel>, place: Place, leased: Moment) -> Self {
        Self {
            id,
            app,
            combines: false,
            place,
            leased,
            stage: Stage::Over,
            running: Vec::new(),
            setup: Setup::default(),
            spans: Vec::new(),
            ended: None,
            waiting: false,
            kept: None,
            planned: 0,
            finished: 0,
            crashed: None,
            peak_kib: None,
            tries: HashMap::new(),
        }
    }

    /// Which try of a test this lease was given.
    #[must_use]
    pub fn granted_try(&self, test: &TestId) -> u32 {
        self.tries.get(test).copied().unwrap_or(1)
    }

    /// Whether more may come of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.stage < Stage::Over
    }

    /// Whether its pod will be started once databases are set up for all.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.waiting && self.stage == Stage::Starting
    }

    /// Takes note of a stage; none is ever gone back to.
    pub fn advance(&mut self, stage: Stage) {
        self.stage = self.stage.max(stage);
    }

    /// Takes note of a stage that is over.
    pub fn pass(&mut self, stage: Stage, seconds: Seconds, ended: Moment) {
        self.spans.push(Span { stage, seconds, ended });
        match stage {
            Stage::Starting => self.setup.pod = seconds,
            Stage::Booting => self.setup.boot = seconds,
            Stage::Loading => self.setup.load = seconds,
            Stage::Databases => self.setup.databases = seconds,
            Stage::Testing | Stage::Closed | Stage::Over => {}
        }
    }

    /// Takes note of a test that begins.
    pub fn begin(&mut self, running: Running) {
        if self.is_open() {
            self.running.push(running);
        }
    }

    /// Takes note of a verdict that came from it; gives back since when the test ran.
    pub fn settle(&mut self, test: &TestId, number: u32, verdict: Verdict) -> Option<Moment> {
        self.finished += u32::from(verdict != Verdict::NotRun);
        if verdict == Verdict::Crashed {
            self.crashed.get_or_insert_with(|| (test.clone(), number));
        }
        let begun = |one: &Running| one.test == *test && one.number == number;
        let index = self.running.iter().position(begun)?;
        Some(self.running.swap_remove(index).since)
    }

    /// What it is for, in words.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.app {
            Some(app) => app.as_str(),
            None if self.combines => "combining coverage",
            None => "collecting tests",
        }
    }
}
