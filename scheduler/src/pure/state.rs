//! Everything the scheduler knows, and the changes that make it.

use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::id::{AgentId, LeaseId, LeaseKey, RunId, SuiteName};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::journal::Record;
use muletrain_proto::link::ToAgent;

use super::Moment;
use super::fleet::{self, Connection, Fleet};
use super::run::Run;

/// Everything the scheduler knows.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Runs that are not over.
    pub runs: BTreeMap<RunId, Run>,
    /// Agents.
    pub fleet: Fleet,
    /// What tests of lost leases may still have to themselves.
    pub lingering: Vec<Lingering>,
}

/// What tests of a lost lease may still have to themselves, because their pod may live on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lingering {
    /// The lease.
    pub lease: LeaseKey,
    /// Its agent.
    pub agent: AgentId,
    /// The name of what it has.
    pub lock: String,
    /// When its agent has ended it at the latest.
    pub until: Moment,
}

/// How long the pod of a lost lease may live on, in milliseconds: as long as an agent that is cut
/// off works on.
const LINGER_TIME: Moment = 60_000;

/// A change of the state.
#[expect(clippy::large_enum_variant, reason = "nearly all changes are records")]
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// One that is journalled.
    Journal(RunId, Record),
    /// One of the fleet.
    Fleet(fleet::Change),
    /// A lease was asked back.
    Revoked(RunId, LeaseId),
}

/// Something to do outside. Each can be lost in a crash and follows from the state again.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Tell an agent something.
    Send(AgentId, ToAgent),
    /// Tell an agent about a run, secrets included.
    Brief(AgentId, RunId),
    /// End a stream.
    Refuse(Connection, String),
    /// Keep the inventory of a suite of the run's snapshot for later runs.
    Remember(RunId, SuiteName, Inventory),
    /// The run is over: learn from it and let go of it.
    Archive(RunId),
}

/// What follows from an input, or from the state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Made in this order, after they are journalled.
    pub changes: Vec<Change>,
    /// Done after the changes are made.
    pub effects: Vec<Effect>,
}

impl Step {
    /// Whether nothing follows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.effects.is_empty()
    }

    /// Adds a record.
    pub fn record(&mut self, run: &RunId, record: Record) {
        self.changes.push(Change::Journal(run.clone(), record));
    }

    /// Adds a change of the fleet.
    pub fn fleet(&mut self, change: fleet::Change) {
        self.changes.push(Change::Fleet(change));
    }

    /// Adds a message to an agent.
    pub fn send(&mut self, agent: &AgentId, message: ToAgent) {
        self.effects.push(Effect::Send(agent.clone(), message));
    }
}

impl State {
    /// Makes a change.
    pub fn apply(&mut self, now: Moment, change: &Change) {
        match change {
            Change::Journal(id, Record::Opened { snapshot, options }) => {
                let run = Run::new(id.clone(), snapshot.clone(), options.clone(), now);
                self.runs.insert(id.clone(), run);
            }
            Change::Journal(id, record) => {
                if let Record::LeaseLost { lease, .. } = record {
                    self.linger(now, id, *lease);
                }
                if let Some(run) = self.runs.get_mut(id) {
                    run.apply(now, record);
                }
            }
            Change::Fleet(change) => {
                self.lingering.retain(|lingering| match change {
                    fleet::Change::Looked { now } => lingering.until > *now,
                    fleet::Change::Joined { hello, .. } => {
                        hello.agent != lingering.agent || hello.leases.contains(&lingering.lease)
                    }
                    _ => true,
                });
                self.fleet.apply(change);
            }
            Change::Revoked(id, lease) => {
                let run = self.runs.get_mut(id);
                if let Some(held) = run.and_then(|run| run.leases.get_mut(lease)) {
                    held.revoked = Some(now);
                }
            }
        }
    }

    /// Names of what the tests of some lease of any run have to themselves, or may have.
    #[must_use]
    pub fn taken(&self, now: Moment) -> BTreeSet<&str> {
        let held = self.runs.values().flat_map(|run| run.leases.values());
        let locks = held.flat_map(|held| &held.locks);
        let lingering = self.lingering.iter().filter(|lingering| lingering.until > now);
        locks.chain(lingering.map(|lingering| &lingering.lock)).map(String::as_str).collect()
    }

    fn linger(&mut self, now: Moment, run: &RunId, lease: LeaseId) {
        let held = self.runs.get(run).and_then(|run| run.leases.get(&lease));
        for lock in held.iter().flat_map(|held| &held.locks) {
            let Some(held) = held else { continue };
            self.lingering.push(Lingering {
                lease: held.lease.key.clone(),
                agent: held.place.agent.clone(),
                lock: lock.clone(),
                until: now.saturating_add(LINGER_TIME),
            });
        }
    }
}
