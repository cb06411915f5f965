//! Agents that are connected, or were a moment ago. Nothing of it is journalled: after a restart
//! agents come back by themselves and say what they hold.

use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::id::{AgentId, RunId};
use muletrain_proto::link::{Hello, Runtime};
use muletrain_proto::snapshot::Content;

use super::Moment;

/// Silence after which an agent counts as lost, in milliseconds.
pub const LEASE_TIME: Moment = 15_000;

/// Time between two looks at the world after which the scheduler itself was the one that was away:
/// stopped, starved, or asleep with its host.
const STALL: Moment = 5_000;

/// How often an agent shall say that it lives, in milliseconds.
pub const HEARTBEAT: Moment = 3_000;

/// Agents that are connected, or were a moment ago.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fleet {
    agents: BTreeMap<AgentId, Agent>,
    /// When an agent last came or went.
    pub changed: Moment,
    /// When the scheduler last looked at anything.
    looked: Moment,
}

/// An agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// What it said of itself.
    pub hello: Hello,
    /// Its stream; none while it is cut off.
    pub connection: Option<Connection>,
    /// When it was last heard of.
    pub heard: Moment,
    /// Leases it has room for.
    pub credit: u32,
    /// Takes no further lease.
    pub draining: bool,
    /// Runs it has been told about.
    pub briefed: BTreeSet<RunId>,
}

/// A stream, numbered by the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection(pub u64);

/// What can change in the fleet.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The scheduler looks at the world.
    Looked {
        /// When.
        now: Moment,
    },
    /// An agent opened a stream.
    Joined {
        /// What it says of itself.
        hello: Box<Hello>,
        /// Its stream.
        connection: Connection,
        /// When.
        now: Moment,
    },
    /// Something came from an agent.
    Heard {
        /// Which.
        agent: AgentId,
        /// When.
        now: Moment,
    },
    /// An agent has room for more.
    Credited {
        /// Which.
        agent: AgentId,
        /// How many leases.
        count: u32,
    },
    /// A lease of a run was sent to an agent.
    Spent {
        /// Which agent.
        agent: AgentId,
        /// Which run.
        run: RunId,
    },
    /// An agent wants no more leases.
    Draining {
        /// Which.
        agent: AgentId,
    },
    /// A stream ended.
    CutOff {
        /// Whose.
        agent: AgentId,
        /// When.
        now: Moment,
    },
    /// An agent is forgotten.
    Left {
        /// Which.
        agent: AgentId,
        /// When.
        now: Moment,
    },
}

impl Fleet {
    /// Makes a change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Looked { now } => self.look(*now),
            Change::Joined { hello, connection, now } => {
                let agent = Agent {
                    hello: (**hello).clone(),
                    connection: Some(*connection),
                    heard: *now,
                    credit: 0,
                    draining: false,
                    briefed: BTreeSet::new(),
                };
                self.changed = *now;
                self.agents.insert(hello.agent.clone(), agent);
            }
            Change::Heard { agent, now } => self.change(agent, |agent| agent.heard = *now),
            Change::Credited { agent, count } => self.change(agent, |agent| {
                agent.credit = agent.credit.saturating_add(*count).min(agent.hello.slots);
            }),
            Change::Spent { agent, run } => self.change(agent, |agent| {
                agent.credit = agent.credit.saturating_sub(1);
                agent.briefed.insert(run.clone());
            }),
            Change::Draining { agent } => self.change(agent, |agent| agent.draining = true),
            Change::CutOff { agent, now } => {
                self.changed = *now;
                self.change(agent, |agent| agent.connection = None);
            }
            Change::Left { agent, now } => {
                self.changed = *now;
                self.agents.remove(agent);
            }
        }
    }

    /// What agents said while the scheduler was away is still on its way, so that time is not
    /// held against them.
    fn look(&mut self, now: Moment) {
        let away = now.saturating_sub(self.looked);
        self.looked = now;
        if away > STALL {
            for agent in self.agents.values_mut() {
                agent.heard = agent.heard.saturating_add(away);
            }
        }
    }

    fn change(&mut self, agent: &AgentId, change: impl FnOnce(&mut Agent)) {
        if let Some(agent) = self.agents.get_mut(agent) {
            change(agent);
        }
    }

    /// An agent by its id.
    #[must_use]
    pub fn get(&self, agent: &AgentId) -> Option<&Agent> {
        self.agents.get(agent)
    }

    /// Every agent.
    pub fn iter(&self) -> impl Iterator<Item = (&AgentId, &Agent)> {
        self.agents.iter()
    }

    /// Slots of all agents that can run this content.
    #[must_use]
    pub fn slots_for(&self, content: &Content) -> u32 {
        let suitable = self.agents.values().filter(|agent| agent.can_run(content));
        suitable.fold(0, |slots: u32, agent| slots.saturating_add(agent.hello.slots))
    }
}

impl Agent {
    /// Whether a lease can be sent to it now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.connection.is_some() && !self.draining && self.credit > 0
    }

    /// Whether its pods are of the kind this content needs.
    #[must_use]
    pub fn can_run(&self, content: &Content) -> bool {
        match content {
            Content::Process { .. } => self.hello.runtime == Runtime::Process,
            Content::Docker { platform, .. } => {
                self.hello.runtime == Runtime::Docker && self.hello.platform == *platform
            }
        }
    }

    /// Whether nothing has come from it for longer than a lease holds.
    #[must_use]
    pub fn is_lost(&self, now: Moment) -> bool {
        now.saturating_sub(self.heard) > LEASE_TIME
    }
}
