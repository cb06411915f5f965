//! What an agent holds: leases, their unacknowledged events, its state towards the scheduler.
//!
//! Inputs are messages, events of pods and the passing of time; effects are messages and orders
//! to pods. A lease is held until its pod is gone and its last event is acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use muletrain_proto::event::Event;
use muletrain_proto::id::{LeaseKey, RunId};
use muletrain_proto::lease::{Grant, Lease};
use muletrain_proto::link::{Hello, Report, RunBrief, ToAgent, ToScheduler};
use muletrain_proto::outcome::Ending;

use crate::pure::backlog::weight;

/// How long an agent that lost its scheduler goes on working.
pub const CUT_OFF: Duration = Duration::from_secs(60);

/// How long an agent that leaves waits for acknowledgements of what is over.
pub const FAREWELL: Duration = Duration::from_secs(10);

/// What the bookkeeping reacts to.
#[derive(Debug)]
pub enum Input {
    /// A stream to the scheduler is open.
    Opened,
    /// It is lost.
    Lost,
    /// The scheduler said something.
    Message(ToAgent),
    /// Something happened in a pod.
    Event(LeaseKey, Event),
    /// A pod is removed; its last event went before.
    Removed(LeaseKey),
    /// Finish what is held, take nothing new.
    Drain,
    /// Give up what is held.
    Stop {
        /// Why, for the scheduler.
        reason: String,
    },
    /// The time of [`Slots::deadline`] has come.
    Tick,
}

/// What the bookkeeping wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Tell the scheduler.
    Send(ToScheduler),
    /// Start a pod.
    Start(Box<Lease>, Arc<RunBrief>),
    /// Hand a grant to a pod.
    Grant(LeaseKey, Grant),
    /// The scheduler wants this pod gone.
    Revoke(LeaseKey),
    /// The agent wants this pod gone.
    Stop(LeaseKey, String),
    /// Nothing more comes of this run.
    Forget(RunId),
    /// Nothing is left to do.
    Exit,
}

/// Leases, events and the state towards the scheduler.
#[derive(Debug)]
pub struct Slots {
    hello: Hello,
    leases: BTreeMap<LeaseKey, Held>,
    runs: BTreeMap<RunId, Arc<RunBrief>>,
    connected: bool,
    leaving: Leaving,
    /// When the present wait is over: for the scheduler, or for the last acknowledgement.
    deadline: Option<Instant>,
}

#[derive(Debug, Default)]
struct Held {
    sequence: u64,
    unacknowledged: VecDeque<Report>,
    /// Bytes of these.
    weight: usize,
    /// The pod is removed.
    removed: bool,
    /// Its ending is among the events.
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    No,
    Draining,
    Stopping,
}

impl Slots {
    /// An agent that holds nothing; `hello` says who it is.
    #[must_use]
    pub fn new(hello: Hello) -> Self {
        Self {
            hello,
            leases: BTreeMap::new(),
            runs: BTreeMap::new(),
            connected: false,
            leaving: Leaving::No,
            deadline: None,
        }
    }

    /// Leases held, for heartbeats and hello.
    #[must_use]
    pub fn held(&self) -> Vec<LeaseKey> {
        self.leases.keys().cloned().collect()
    }

    /// Leases that may still have a pod.
    pub fn live(&self) -> impl Iterator<Item = &LeaseKey> {
        self.leases.iter().filter(|(_, held)| !held.removed).map(|(key, _)| key)
    }

    /// Whether nothing new is taken any more.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving != Leaving::No
    }

    /// Bytes of events of a lease that are not acknowledged; an estimate.
    #[must_use]
    pub fn backlog(&self, lease: &LeaseKey) -> usize {
        self.leases.get(lease).map_or(0, |held| held.weight)
    }

    /// When to send [`Input::Tick`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What follows from an input.
    pub fn handle(&mut self, now: Instant, input: Input) -> Vec<Effect> {
        let mut effects = match input {
            Input::Opened => self.opened(),
            Input::Lost => {
                self.connected = false;
                self.deadline = self.deadline.or(now.checked_add(CUT_OFF));
                vec![]
            }
            Input::Message(message) => self.message(message),
            Input::Event(key, event) => self.event(&key, event),
            Input::Removed(key) => self.removed(&key),
            Input::Drain => self.drain(),
            Input::Stop { reason } => self.stop(&reason),
            Input::Tick => self.tick(now),
        };
        if self.is_done(now) {
            effects.push(Effect::Exit);
        }
        effects
    }

    fn opened(&mut self) -> Vec<Effect> {
        self.connected = true;
        let hello = Hello { leases: self.held(), ..self.hello.clone() };
        let mut messages = vec![ToScheduler::Hello(hello)];
        let free = self.capacity().saturating_sub(self.live().count());
        match self.leaving {
            Leaving::No if free > 0 => {
                messages.push(ToScheduler::Credit(free.try_into().unwrap_or(u32::MAX)));
            }
            Leaving::No => {}
            Leaving::Draining | Leaving::Stopping => messages.push(ToScheduler::Draining),
        }
        let waiting = self.leases.values().flat_map(|held| held.unacknowledged.iter().cloned());
        messages.extend(waiting.map(ToScheduler::Event));
        messages.into_iter().map(Effect::Send).collect()
    }

    fn message(&mut self, message: ToAgent) -> Vec<Effect> {
        match message {
            ToAgent::Welcome { .. } => {
                // An open stream may lead to nobody, as through a forwarded port.
                if self.leaving == Leaving::No {
                    self.deadline = None;
                }
                vec![]
            }
            ToAgent::Run(brief) => {
                self.runs.insert(brief.run.clone(), Arc::new(*brief));
                vec![]
            }
            ToAgent::Forget(run) => {
                self.runs.remove(&run);
                vec![Effect::Forget(run)]
            }
            ToAgent::Lease(lease) => self.lease(lease),
            ToAgent::Grant(key, grant) => match self.is_live(&key) {
                true => vec![Effect::Grant(key, grant)],
                false => vec![],
            },
            ToAgent::Revoke { lease, .. } => self.revoke(&lease),
            ToAgent::Acknowledge { lease, sequence } => {
                self.acknowledge(&lease, sequence);
                vec![]
            }
        }
    }

    fn lease(&mut self, lease: Lease) -> Vec<Effect> {
        let key = lease.key.clone();
        if self.leases.contains_key(&key) || self.holds_newer(&key) {
            return vec![];
        }
        let mut effects: Vec<Effect> = self.older(&key).map(Effect::Revoke).collect();
        let live = self.live().count() - effects.len();
        self.leases.insert(key.clone(), Held::default());
        let brief = self.runs.get(&key.run).cloned();
        match (self.leaving, brief) {
            (Leaving::No, Some(brief)) if live < self.capacity() => {
                effects.push(Effect::Start(Box::new(lease), brief));
            }
            (Leaving::No, Some(_)) => {
                effects.extend(self.refuse(&key, "all slots of the agent are taken"));
            }
            (Leaving::No, None) => {
                effects.extend(self.refuse(&key, "the agent got no description of the run"));
            }
            (Leaving::Draining | Leaving::Stopping, _) => {
                effects.extend(self.refuse(&key, "the agent is leaving"));
            }
        }
        effects
    }

    fn refuse(&mut self, key: &LeaseKey, reason: &str) -> Vec<Effect> {
        let ending = Ending::Infrastructure { reason: reason.to_owned() };
        let mut effects = self.event(key, Event::Ended(ending));
        if let Some(held) = self.leases.get_mut(key) {
            held.removed = true;
        }
        // The lease used up a credit, and a slot is free again only if there is one.
        if self.leaving == Leaving::No && self.live().count() < self.capacity() {
            effects.push(Effect::Send(ToScheduler::Credit(1)));
        }
        effects
    }

    fn capacity(&self) -> usize {
        self.hello.slots.try_into().unwrap_or(usize::MAX)
    }

    fn revoke(&mut self, key: &LeaseKey) -> Vec<Effect> {
        match self.leases.get(key) {
            Some(held) if held.removed => {
                self.leases.remove(key);
                vec![]
            }
            Some(held) if !held.ended => vec![Effect::Revoke(key.clone())],
            _ => vec![],
        }
    }

    fn acknowledge(&mut self, key: &LeaseKey, sequence: u64) {
        if let Some(held) = self.leases.get_mut(key) {
            held.unacknowledged.retain(|report| report.sequence > sequence);
            held.weight = held.unacknowledged.iter().map(|report| weight(&report.event)).sum();
        }
        self.forget_settled(key);
    }

    fn event(&mut self, key: &LeaseKey, event: Event) -> Vec<Effect> {
        let Some(held) = self.leases.get_mut(key).filter(|held| !held.ended) else {
            return vec![];
        };
        held.ended = matches!(event, Event::Ended(_));
        held.sequence += 1;
        let report = Report { lease: key.clone(), sequence: held.sequence, event };
        held.weight += weight(&report.event);
        held.unacknowledged.push_back(report.clone());
        match self.connected {
            true => vec![Effect::Send(ToScheduler::Event(report))],
            false => vec![],
        }
    }

    fn removed(&mut self, key: &LeaseKey) -> Vec<Effect> {
        if let Some(held) = self.leases.get_mut(key) {
            held.removed = true;
        }
        self.forget_settled(key);
        match self.connected && self.leaving == Leaving::No {
            true => vec![Effect::Send(ToScheduler::Credit(1))],
            false => vec![],
        }
    }

    fn drain(&mut self) -> Vec<Effect> {
        if self.leaving != Leaving::No {
            return vec![];
        }
        self.leaving = Leaving::Draining;
        match self.connected {
            true => vec![Effect::Send(ToScheduler::Draining)],
            false => vec![],
        }
    }

    fn stop(&mut self, reason: &str) -> Vec<Effect> {
        let mut effects = self.drain();
        self.leaving = Leaving::Stopping;
        effects.extend(self.stop_all(reason));
        effects
    }

    fn stop_all(&self, reason: &str) -> Vec<Effect> {
        self.live().map(|key| Effect::Stop(key.clone(), reason.to_owned())).collect()
    }

    fn tick(&mut self, now: Instant) -> Vec<Effect> {
        if self.leaving != Leaving::No || self.deadline.is_none_or(|deadline| deadline > now) {
            return vec![];
        }
        self.deadline = None;
        let cut_off = CUT_OFF.as_secs();
        self.stop_all(&format!("the agent could not reach the scheduler for {cut_off} s"))
    }

    /// Whether a leaving agent may go: its pods are gone, and what they said is acknowledged or
    /// nobody has acknowledged it for a while.
    fn is_done(&mut self, now: Instant) -> bool {
        if self.leaving == Leaving::No || self.live().next().is_some() {
            return false;
        }
        if self.leases.is_empty() {
            return true;
        }
        let farewell = now.checked_add(FAREWELL);
        self.deadline = match self.deadline {
            Some(deadline) => Some(deadline).min(farewell),
            None => farewell,
        };
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    fn is_live(&self, key: &LeaseKey) -> bool {
        self.leases.get(key).is_some_and(|held| !held.removed)
    }

    fn holds_newer(&self, key: &LeaseKey) -> bool {
        self.same_lease(key).any(|held| held.epoch > key.epoch)
    }

    /// Live pods that a lease with a higher epoch replaces.
    fn older(&self, key: &LeaseKey) -> impl Iterator<Item = LeaseKey> {
        let older = self.same_lease(key).filter(|held| held.epoch < key.epoch);
        older.filter(|held| self.is_live(held)).cloned()
    }

    fn same_lease(&self, key: &LeaseKey) -> impl Iterator<Item = &LeaseKey> {
        let (run, lease) = (key.run.clone(), key.lease);
        self.leases.keys().filter(move |held| held.run == run && held.lease == lease)
    }

    fn forget_settled(&mut self, key: &LeaseKey) {
        if self.leases.get(key).is_some_and(|held| held.removed && held.unacknowledged.is_empty()) {
            self.leases.remove(key);
        }
    }
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
