//! Agents and a clock around the scheduler's pure core.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use muletrain_proto::event::{Closed, Event, Finished, Planned, Ready};
use muletrain_proto::id::{AgentId, BootId, LeaseKey, RunId, SnapshotId, SuiteName, TestId};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::lease::{Grant, Lease, Work};
use muletrain_proto::link::{Hello, Report, Runtime, ToAgent};
use muletrain_proto::outcome::{Ending, Output};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::{App, Content, Environment, Snapshot};
use muletrain_proto::suite::{Adapter, Suite as ProjectSuite};
use muletrain_proto::verdict::Verdict;
use muletrain_scheduler::pure::advance::advance;
use muletrain_scheduler::pure::decide::{Input, decide};
use muletrain_scheduler::pure::fleet::{Connection, HEARTBEAT};
use muletrain_scheduler::pure::state::{Effect, State, Step};

use super::suite::Suite;

/// Milliseconds from the scheduler to an agent, and back.
const MESSAGE: u64 = 2;

/// Seconds that a run of the suite takes on slots of these speeds, each its own agent.
///
/// # Panics
/// When the run does not end with a verdict on every test.
#[must_use]
pub fn makespan(suite: &Suite, speeds: &[f64]) -> f64 {
    let mut fleet = Fleet::new(suite, speeds);
    for agent in 0..speeds.len() {
        fleet.connect(agent);
    }
    fleet.submit();
    fleet.send(HEARTBEAT, Arrival::Beat);
    while let Some(Reverse((time, _, arrival))) = fleet.arrivals.pop() {
        fleet.now = time;
        fleet.arrive(arrival);
        if let Some(end) = fleet.ended {
            return end as f64 / 1000.0;
        }
    }
    panic!("nothing happens any more and the run has not ended");
}

struct Fleet<'a> {
    suite: &'a Suite,
    speeds: &'a [f64],
    seconds: HashMap<TestId, f64>,
    state: State,
    now: u64,
    pods: BTreeMap<LeaseKey, Pod>,
    arrivals: BinaryHeap<Reverse<(u64, u64, Arrival)>>,
    sent: u64,
    ended: Option<u64>,
}

struct Pod {
    agent: usize,
    sequence: u64,
    /// What it has loaded, in order.
    loaded: Vec<TestId>,
    /// When it is through with all it was granted, in seconds.
    free: f64,
    granted: u32,
}

/// What reaches the scheduler.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    Said(LeaseKey, Word),
    Free(usize),
    /// All agents live.
    Beat,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Planned,
    Ready,
    Finished(TestId),
    Done(u32),
    Closed,
    Ended,
}

impl<'a> Fleet<'a> {
    fn new(suite: &'a Suite, speeds: &'a [f64]) -> Self {
        let mut seconds = HashMap::new();
        for class in &suite.classes {
            let each = class.seconds / class.class.tests.len() as f64;
            seconds.extend(class.class.tests.iter().map(|test| (test.id.clone(), each)));
        }
        Self {
            suite,
            speeds,
            seconds,
            state: State::default(),
            now: 0,
            pods: BTreeMap::new(),
            arrivals: BinaryHeap::new(),
            sent: 0,
            ended: None,
        }
    }

    fn connect(&mut self, number: usize) {
        let hello = Hello {
            agent: agent(number),
            boot: BootId::new("b").expect("it is a name"),
            host: "host".to_owned(),
            version: "0".to_owned(),
            slots: 1,
            runtime: Runtime::Process,
            platform: "linux/amd64".to_owned(),
            labels: BTreeMap::new(),
            leases: vec![],
        };
        self.take(Input::Connected(Connection(number as u64), Box::new(hello)));
        self.take(Input::Credited(agent(number), 1));
    }

    fn submit(&mut self) {
        self.take(Input::Submitted {
            run: RunId::new("r").expect("it is a name"),
            snapshot: Box::new(snapshot(self.suite)),
            options: Box::default(),
            estimates: self.suite.estimates.clone(),
            remembered: [(SuiteName::default(), self.suite.inventory())].into(),
        });
    }

    fn take(&mut self, input: Input) {
        let mut step = decide(&self.state, self.now, input);
        while !step.is_empty() {
            self.make(step);
            step = advance(&self.state, self.now);
        }
    }

    fn make(&mut self, step: Step) {
        for change in &step.changes {
            self.state.apply(self.now, change);
        }
        for effect in step.effects {
            match effect {
                Effect::Send(id, ToAgent::Lease(lease)) => self.start(&id, &lease),
                Effect::Send(_, ToAgent::Grant(key, grant)) => self.grant(&key, &grant),
                Effect::Archive(id) => {
                    let run = &self.state.runs[&id];
                    assert!(run.ledger.is_settled() && run.stop.is_none(), "{:?}", run.stop);
                    assert!(run.ledger.tests().all(|(_, account)| account.tries == 1));
                    self.ended = Some(self.now);
                }
                Effect::Send(..)
                | Effect::Brief(..)
                | Effect::Refuse(..)
                | Effect::Remember(..) => {}
            }
        }
    }

    fn start(&mut self, id: &AgentId, lease: &Lease) {
        let number = (0..self.speeds.len()).find(|number| agent(*number) == *id);
        let agent = number.expect("every agent has a number");
        let Work::Run { app, tests, .. } = &lease.work else {
            panic!("the inventory is remembered");
        };
        let named: Option<BTreeSet<&TestId>> = tests.as_ref().map(|tests| tests.iter().collect());
        let of_app = self.suite.classes.iter().filter(|class| class.class.app == *app);
        let all = of_app.flat_map(|class| &class.class.tests).map(|test| test.id.clone());
        let loaded = all.filter(|id| named.as_ref().is_none_or(|named| named.contains(id)));
        let ready = self.seconds_now() + self.suite.setup / self.speeds[agent];
        let pod = Pod { agent, sequence: 0, loaded: loaded.collect(), free: ready, granted: 0 };
        self.pods.insert(lease.key.clone(), pod);
        self.say(ready, &lease.key, Word::Planned);
        self.say(ready, &lease.key, Word::Ready);
    }

    fn grant(&mut self, key: &LeaseKey, grant: &Grant) {
        let now = self.seconds_now();
        let Some(pod) = self.pods.get_mut(key).filter(|pod| pod.granted < grant.number) else {
            return;
        };
        pod.granted = grant.number;
        let named: Option<BTreeSet<&TestId>> =
            grant.tests.as_ref().map(|tests| tests.iter().map(|test| &test.id).collect());
        let is_granted = |id: &&TestId| named.as_ref().is_none_or(|named| named.contains(id));
        let tests: Vec<TestId> = pod.loaded.iter().filter(is_granted).cloned().collect();
        let speed = self.speeds[pod.agent];
        let mut at = pod.free.max(now);
        let mut words = Vec::new();
        for test in tests {
            at += self.seconds[&test] / speed;
            words.push((at, Word::Finished(test)));
        }
        words.push((at, Word::Done(grant.number)));
        if grant.last {
            words.extend([(at, Word::Closed), (at, Word::Ended)]);
        }
        pod.free = at;
        for (at, word) in words {
            self.say(at, key, word);
        }
    }

    fn say(&mut self, at: f64, key: &LeaseKey, word: Word) {
        self.send((at * 1000.0) as u64 + 2 * MESSAGE, Arrival::Said(key.clone(), word));
    }

    fn send(&mut self, at: u64, arrival: Arrival) {
        self.sent += 1;
        self.arrivals.push(Reverse((at, self.sent, arrival)));
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Beat => {
                for number in 0..self.speeds.len() {
                    let held = self.pods.iter().filter(|(_, pod)| pod.agent == number);
                    let held = held.map(|(key, _)| key.clone()).collect();
                    self.take(Input::Beat(agent(number), held));
                }
                self.send(self.now + HEARTBEAT, Arrival::Beat);
            }
            Arrival::Free(number) => self.take(Input::Credited(agent(number), 1)),
            Arrival::Said(key, word) => {
                let is_end = word == Word::Ended;
                let Some(pod) = self.pods.get_mut(&key) else { return };
                pod.sequence += 1;
                let (number, sequence) = (pod.agent, pod.sequence);
                let event = self.event(&key, word);
                let report = Report { lease: key.clone(), sequence, event };
                self.take(Input::Reported(agent(number), Box::new(report)));
                if is_end {
                    self.pods.remove(&key);
                    self.send(self.now, Arrival::Free(number));
                }
            }
        }
    }

    fn event(&self, key: &LeaseKey, word: Word) -> Event {
        let seconds = Seconds::ZERO;
        match word {
            Word::Planned => {
                Event::Planned(Planned { inventory: self.loaded(key), missing: vec![], seconds })
            }
            Word::Ready => {
                Event::Ready(Ready { databases: vec![], seconds, output: Output::default() })
            }
            Word::Finished(test) => Event::Finished(Finished {
                seconds: Seconds::new(self.seconds[&test]).unwrap_or_default(),
                test,
                r#try: 1,
                verdict: Verdict::Passed,
                reason: None,
                failures: vec![],
                output: Output::default(),
            }),
            Word::Done(grant) => Event::Done { grant },
            Word::Closed => Event::Closed(Closed { tests: 0, peak_kib: None }),
            Word::Ended => Event::Ended(Ending::Closed),
        }
    }

    fn loaded(&self, key: &LeaseKey) -> Inventory {
        let loaded: BTreeSet<&TestId> =
            self.pods.get(key).iter().flat_map(|pod| &pod.loaded).collect();
        let mut inventory = self.suite.inventory();
        inventory.classes.retain_mut(|class| {
            class.tests.retain(|test| loaded.contains(&test.id));
            !class.tests.is_empty()
        });
        inventory
    }

    fn seconds_now(&self) -> f64 {
        self.now as f64 / 1000.0
    }
}

fn agent(number: usize) -> AgentId {
    AgentId::new(format!("a{number}")).expect("it is a name")
}

fn snapshot(suite: &Suite) -> Snapshot {
    let app = |label: muletrain_proto::id::AppLabel| App {
        module: label.to_string(),
        path: label.to_string(),
        test_files: vec![format!("{label}/tests.py")],
        suite: SuiteName::default(),
        label,
    };
    let django = Adapter::Django { manage: None, settings: None };
    Snapshot {
        version: 1,
        id: SnapshotId::new("s").expect("it is a name"),
        name: "site".to_owned(),
        revision: None,
        content: Content::Process { root: "/site".into() },
        python: "python3".to_owned(),
        suites: vec![ProjectSuite::new(SuiteName::default(), django)],
        environment: Environment::default(),
        services: vec![],
        apps: suite.apps().into_iter().map(app).collect(),
        notes: vec![],
    }
}
