//! Everything the scheduler knows, and the changes that make it.

use std::collections::BTreeMap;

use muletrain_proto::id::{AgentId, LeaseId, RunId};
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
}

/// A change of the state.
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
    /// Keep the inventory of the run's snapshot for later runs.
    Remember(RunId, Inventory),
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
                if let Some(run) = self.runs.get_mut(id) {
                    run.apply(now, record);
                }
            }
            Change::Fleet(change) => self.fleet.apply(change),
            Change::Revoked(id, lease) => {
                let run = self.runs.get_mut(id);
                if let Some(held) = run.and_then(|run| run.leases.get_mut(lease)) {
                    held.revoked = Some(now);
                }
            }
        }
    }
}
