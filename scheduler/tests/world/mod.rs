//! A world around the pure core: agents that answer as told, a clock, and every record kept.

#![allow(
    dead_code,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a helper of tests, each of which uses a part"
)]

mod pods;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use muletrain_proto::event::{Closed, Collected, Event, Failed, LimitOf, Phase, TimedOut, Warming};
use muletrain_proto::id::{
    AgentId, AppLabel, BootId, ClassId, LeaseKey, RunId, SnapshotId, SuiteName, TestId,
};
use muletrain_proto::journal::Record;
use muletrain_proto::lease::{Grant, Lease, Work};
use muletrain_proto::link::{Hello, Report, Runtime, ToAgent};
use muletrain_proto::outcome::{Death, Ending, Output};
use muletrain_proto::plan::{ClassEstimate, Estimates};
use muletrain_proto::run::Options;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::{App, Content, Environment, Snapshot};
use muletrain_proto::suite::{Adapter, Suite};
use muletrain_proto::verdict::Verdict;
use muletrain_scheduler::pure::Moment;
use muletrain_scheduler::pure::advance::advance;
use muletrain_scheduler::pure::decide::{Input, decide};
use muletrain_scheduler::pure::fleet::Connection;
use muletrain_scheduler::pure::pool::Pool;
use muletrain_scheduler::pure::run::Run;
use muletrain_scheduler::pure::state::{Change, Effect, State};

/// The core and all it can see.
pub struct World {
    pub state: State,
    pub now: Moment,
    pub records: Vec<Record>,
    pub last: Option<Run>,
    pub pods: BTreeMap<LeaseKey, Pod>,
    pub project: Vec<(AppLabel, Vec<TestId>)>,
    /// Tests that fail in their first tries, and in how many.
    pub failing: BTreeMap<TestId, u32>,
    /// What past runs say.
    pub estimates: Estimates,
    /// Suites beside the first one, and their apps.
    pub suites: BTreeMap<SuiteName, BTreeSet<AppLabel>>,
    connections: u64,
}

/// A pod on a simulated agent.
pub struct Pod {
    pub agent: AgentId,
    pub lease: Lease,
    pub grant: Option<Grant>,
    pub queue: VecDeque<Event>,
    pub sequence: u64,
}

pub fn run_id() -> RunId {
    RunId::new("r").unwrap()
}

pub fn app(label: &str) -> AppLabel {
    AppLabel::new(label).unwrap()
}

pub fn test(id: &str) -> TestId {
    TestId::new(id).unwrap()
}

impl World {
    /// A project given as apps and the number of their tests.
    pub fn new(apps: &[(&str, usize)]) -> Self {
        let tests = |label: &str, count| {
            (0..count).map(|number| test(&format!("{label}.tests.T.test_{number}"))).collect()
        };
        Self {
            state: State::default(),
            now: 0,
            records: Vec::new(),
            last: None,
            pods: BTreeMap::new(),
            project: apps.iter().map(|(label, count)| (app(label), tests(label, *count))).collect(),
            failing: BTreeMap::new(),
            estimates: Estimates::default(),
            suites: BTreeMap::new(),
            connections: 0,
        }
    }

    /// Adds a class to an app.
    pub fn add_class(&mut self, label: &str, class: &str, count: usize) {
        let tests = self.project.iter_mut().find(|(known, _)| *known == app(label)).unwrap();
        let name = |number| test(&format!("{label}.tests.{class}.test_{number}"));
        tests.1.extend((0..count).map(name));
    }

    /// Past runs say how long a class takes, in an app whose pods take no time.
    pub fn expect(&mut self, label: &str, class: &str, tests: u32, time: f64) {
        let class = ClassId::new(format!("{label}.tests.{class}")).unwrap();
        let [whole, per_test] =
            [time, time / f64::from(tests)].map(|time| Seconds::new(time).unwrap());
        let of_class = ClassEstimate { app: app(label), tests, per_test };
        self.estimates.classes.insert(class, of_class);
        self.estimates.apps.entry(app(label)).or_default().work += whole;
    }

    /// A test that fails in its first tries.
    pub fn fail_first(&mut self, id: &str, tries: u32) {
        self.failing.insert(test(id), tries);
    }

    pub fn submit(&mut self, options: Options) {
        self.submit_as(run_id(), options);
    }

    pub fn submit_as(&mut self, run: RunId, options: Options) {
        self.take(Input::Submitted {
            run,
            snapshot: Box::new(self.snapshot()),
            options: Box::new(options),
            estimates: self.estimates.clone(),
            remembered: BTreeMap::new(),
        });
    }

    fn snapshot(&self) -> Snapshot {
        let apps = self.project.iter().filter(|(label, _)| *label != AppLabel::other());
        let apps = apps.map(|(label, tests)| App {
            label: label.clone(),
            module: label.to_string(),
            path: label.to_string(),
            test_files: vec![format!("{label}/tests.py"); tests.len()],
            suite: self.suite_of(label),
        });
        let django = || Adapter::Django { manage: None, settings: None };
        let names = std::iter::once(SuiteName::default()).chain(self.suites.keys().cloned());
        Snapshot {
            version: 1,
            id: SnapshotId::new("s").unwrap(),
            name: "site".into(),
            revision: None,
            content: Content::Process { root: "/site".into() },
            python: "python3".into(),
            suites: names.map(|name| Suite::new(name, django())).collect(),
            environment: Environment::default(),
            services: vec![],
            apps: apps.collect(),
            notes: vec![],
        }
    }

    pub fn connect(&mut self, agent: &str, boot: &str, slots: u32) {
        let agent = AgentId::new(agent).unwrap();
        let boot = BootId::new(boot).unwrap();
        let known = self.state.fleet.get(&agent).is_some_and(|known| known.hello.boot == boot);
        if !known {
            self.pods.retain(|_, pod| pod.agent != agent);
        }
        let leases: Vec<LeaseKey> = self.held_by(&agent);
        let free = slots.saturating_sub(u32::try_from(leases.len()).unwrap());
        self.connections += 1;
        let hello = Hello {
            agent: agent.clone(),
            boot,
            host: "host".into(),
            version: "0".into(),
            slots,
            runtime: Runtime::Process,
            platform: "linux/amd64".into(),
            labels: BTreeMap::new(),
            leases,
        };
        self.take(Input::Connected(Connection(self.connections), Box::new(hello)));
        self.take(Input::Credited(agent, free));
    }

    pub fn held_by(&self, agent: &AgentId) -> Vec<LeaseKey> {
        self.pods
            .iter()
            .filter(|(_, pod)| pod.agent == *agent)
            .map(|(key, _)| key.clone())
            .collect()
    }

    pub fn cut_off(&mut self, agent: &str) {
        let agent = AgentId::new(agent).unwrap();
        let known = self.state.fleet.get(&agent).and_then(|agent| agent.connection);
        if let Some(connection) = known {
            self.take(Input::Disconnected(connection, agent));
        }
    }

    pub fn wait(&mut self, milliseconds: Moment) {
        let end = self.now + milliseconds;
        while self.now < end {
            self.now = end.min(self.now + 500);
            self.take(Input::Tick);
        }
    }

    /// The scheduler's process is stopped for a while, and nobody else is.
    pub fn stall(&mut self, milliseconds: Moment) {
        self.now += milliseconds;
        self.take(Input::Tick);
    }

    /// All connected agents say that they live.
    pub fn beat(&mut self) {
        let agents: Vec<AgentId> = self.state.fleet.iter().map(|(id, _)| id.clone()).collect();
        for agent in agents {
            let connected = self.state.fleet.get(&agent).is_some_and(|a| a.connection.is_some());
            if connected {
                let held = self.held_by(&agent);
                self.take(Input::Beat(agent, held));
            }
        }
    }

    pub fn take(&mut self, input: Input) {
        let mut step = decide(&self.state, self.now, input);
        for round in 0.. {
            assert!(round < 10_000, "the core never comes to rest");
            for change in &step.changes {
                self.state.apply(self.now, change);
                if let Change::Journal(_, record) = change {
                    self.records.push(record.clone());
                }
            }
            for effect in step.effects {
                self.perform(effect);
            }
            self.check();
            step = advance(&self.state, self.now);
            if step.is_empty() {
                return;
            }
        }
    }

    /// What must hold at every moment.
    fn check(&self) {
        for run in self.state.runs.values() {
            // Every test without a verdict is some live lease's, or free to be granted.
            for (test, account) in run.ledger.all_open() {
                let free = run.ledger.free(&account.app);
                let is_free = free.is_some_and(|free| {
                    let mut pooled = free.pools.values().flat_map(Pool::tests);
                    free.locked.contains(test)
                        || free.again.contains(test)
                        || pooled.any(|pooled| pooled == test)
                });
                let is_held = account.holder.is_some_and(|lease| {
                    let held = run.ledger.held(lease).is_some_and(|held| held.contains(test));
                    held && run.leases.contains_key(&lease)
                });
                assert!(is_free != is_held, "{test} is free: {is_free}, is held: {is_held}");
            }
        }
        let held = self.state.runs.values().flat_map(|run| run.leases.values());
        let locks: Vec<&String> = held.flat_map(|held| &held.locks).collect();
        let different: BTreeSet<&String> = locks.iter().copied().collect();
        assert_eq!(locks.len(), different.len(), "what is serial runs twice at once");
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send(agent, ToAgent::Lease(lease)) => {
                let key = lease.key.clone();
                let queue = VecDeque::new();
                let mut pod = Pod { agent, lease, grant: None, queue, sequence: 0 };
                pod.queue = match &pod.lease.work {
                    Work::Collect { .. } => self.collection(&pod.lease.suite),
                    Work::Run { .. } => pods::good_start(&self.project, &pod.lease),
                    Work::Combine { .. } => VecDeque::new(),
                };
                self.pods.insert(key, pod);
            }
            Effect::Send(_, ToAgent::Grant(key, grant)) => {
                let Some(pod) = self.pods.get_mut(&key) else { return };
                let number = pod.grant.as_ref().map_or(0, |grant| grant.number);
                let is_over = matches!(pod.queue.back(), Some(Event::Ended(_)));
                if grant.number > number && !is_over {
                    pod.queue.extend(pods::good_run(
                        &self.project,
                        &self.failing,
                        &pod.lease,
                        &grant,
                    ));
                    pod.grant = Some(grant);
                }
            }
            Effect::Send(_, ToAgent::Revoke { lease, .. }) => {
                if let Some(pod) = self.pods.get_mut(&lease) {
                    pod.queue = VecDeque::from([Event::Ended(Ending::Revoked)]);
                }
            }
            Effect::Archive(run) => self.last = self.state.runs.remove(&run),
            Effect::Send(..) | Effect::Brief(..) | Effect::Refuse(..) | Effect::Remember(..) => {}
        }
    }

    fn suite_of(&self, label: &AppLabel) -> SuiteName {
        let known = self.suites.iter().find(|(_, apps)| apps.contains(label));
        known.map(|(suite, _)| suite.clone()).unwrap_or_default()
    }

    fn collection(&self, suite: &SuiteName) -> VecDeque<Event> {
        let of_suite = |label: &AppLabel, _: &TestId| self.suite_of(label) == *suite;
        let inventory = pods::inventory(&self.project, of_suite);
        let seconds = Seconds::ZERO;
        VecDeque::from([
            Event::Collected(Collected { inventory, seconds }),
            Event::Closed(Closed { tests: 0, peak_kib: None }),
            Event::Ended(Ending::Closed),
        ])
    }

    /// The next event of a pod reaches the scheduler, if its agent is connected.
    pub fn deliver(&mut self, key: &LeaseKey) -> Option<Event> {
        let pod = self.pods.get_mut(key)?;
        self.state.fleet.get(&pod.agent)?.connection?;
        let event = pod.queue.pop_front()?;
        pod.sequence += 1;
        let report = Report { lease: key.clone(), sequence: pod.sequence, event: event.clone() };
        let agent = pod.agent.clone();
        self.take(Input::Reported(agent.clone(), Box::new(report)));
        if matches!(event, Event::Ended(_)) {
            self.pods.remove(key);
            self.take(Input::Credited(agent, 1));
        }
        Some(event)
    }

    /// Everything goes well until nothing is left to deliver.
    pub fn settle_down(&mut self) {
        while let Some(key) = self.pods.keys().find(|key| self.is_deliverable(key)).cloned() {
            self.deliver(&key);
        }
    }

    fn is_deliverable(&self, key: &LeaseKey) -> bool {
        self.pods.get(key).is_some_and(|pod| {
            let agent = self.state.fleet.get(&pod.agent);
            !pod.queue.is_empty() && agent.is_some_and(|agent| agent.connection.is_some())
        })
    }

    /// The pod of an app, which is there.
    pub fn pod_of(&self, label: &str) -> LeaseKey {
        let of_app = |pod: &&Pod| pod.lease.work.app() == Some(&app(label));
        self.pods.values().find(of_app).map(|pod| pod.lease.key.clone()).expect("no such pod")
    }

    /// Delivers until a test of the pod is running; tells which.
    pub fn until_running(&mut self, key: &LeaseKey) -> TestId {
        loop {
            match self.deliver(key).expect("the pod starts no test") {
                Event::Started { test, .. } => return test,
                _ => continue,
            }
        }
    }

    /// A test runs over its limit, or over that of others too, and its pod ends with it.
    pub fn time_out(&mut self, key: &LeaseKey, test: &TestId, others: &[&str]) {
        let limit_of = if others.is_empty() { LimitOf::Test } else { LimitOf::Class };
        self.run_over(key, test, limit_of, others);
    }

    /// A test is what a limit finds running when it is up, and its pod ends with it.
    pub fn run_over(&mut self, key: &LeaseKey, test: &TestId, limit_of: LimitOf, others: &[&str]) {
        let pod = self.pods.get_mut(key).expect("no such pod");
        let granted = pod.grant.iter().flat_map(|grant| grant.tests.iter().flatten());
        let r#try = granted.filter(|one| one.id == *test).map(|one| one.r#try).next().unwrap_or(1);
        let timed_out = TimedOut {
            test: test.clone(),
            r#try,
            seconds: Seconds::ZERO,
            stacks: String::new(),
            output: Output::default(),
            limit_of,
            tests: others.iter().map(|id| self::test(id)).collect(),
        };
        pod.queue = VecDeque::from([Event::TimedOut(timed_out), Event::Ended(Ending::TimedOut)]);
        self.deliver(key);
        self.deliver(key);
    }

    /// Delivers until there is a pod of an app.
    pub fn settle_until_leased(&mut self, label: &str) {
        let of_app = |pod: &Pod| pod.lease.work.app() == Some(&app(label));
        while !self.pods.values().any(of_app) {
            let key = self.pods.keys().next().cloned().expect("there is no pod");
            self.deliver(&key);
        }
    }

    pub fn end(&mut self, key: &LeaseKey, ending: Ending) {
        if let Some(pod) = self.pods.get_mut(key) {
            pod.queue = VecDeque::from([Event::Ended(ending)]);
        }
        self.deliver(key);
    }

    pub fn fail(&mut self, key: &LeaseKey, phase: Phase) {
        let failed = Failed { phase, failures: vec![], output: Output::default() };
        let pod = self.pods.get_mut(key).expect("no such pod");
        pod.queue = VecDeque::from([Event::Failed(failed), Event::Ended(Ending::Failed)]);
        self.deliver(key);
        self.deliver(key);
    }

    /// An agent says what becomes of databases for all pods, whenever it likes.
    pub fn warm(&mut self, key: &LeaseKey, warming: Warming) {
        let pod = self.pods.get_mut(key).expect("no such pod");
        pod.queue.push_front(Event::Warming(warming));
        self.deliver(key);
    }

    pub fn run(&self) -> &Run {
        self.last.as_ref().or_else(|| self.state.runs.values().next()).expect("no run")
    }

    pub fn is_closed(&self) -> bool {
        self.last.is_some()
    }

    pub fn verdict(&self, id: &str) -> Option<Verdict> {
        self.run().ledger.get(&test(id)).and_then(|account| account.verdict)
    }

    pub fn leased_apps(&self) -> Vec<String> {
        self.records
            .iter()
            .filter_map(|record| match record {
                Record::Leased { lease, .. } => Some(match lease.work.app() {
                    Some(app) => app.to_string(),
                    None => "collect".to_owned(),
                }),
                _ => None,
            })
            .collect()
    }
}

pub fn death(reason: &str) -> Death {
    Death {
        running: None,
        status: None,
        signal: Some(11),
        memory_limit: None,
        reason: reason.to_owned(),
        output: Output::default(),
        stderr: String::new(),
    }
}
