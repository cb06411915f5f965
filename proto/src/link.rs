//! What an agent and the scheduler say to each other on their stream.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::id::{AgentId, BootId, LeaseKey, RunId};
use crate::lease::{Grant, Lease};
use crate::run::{Options, Secrets};
use crate::seconds::Seconds;
use crate::snapshot::Snapshot;

/// What an agent tells the scheduler.
#[derive(Debug, Clone, PartialEq)]
pub enum ToScheduler {
    /// The first message of a stream.
    Hello(Hello),
    /// Room for this many more leases.
    Credit(u32),
    /// Still alive, holding these leases.
    Heartbeat(Vec<LeaseKey>),
    /// Something happened in a pod.
    Event(Report),
    /// No more leases are wanted; those held are finished.
    Draining,
}

/// What the scheduler tells an agent.
#[derive(Debug, Clone, PartialEq)]
pub enum ToAgent {
    /// The answer to hello.
    Welcome {
        /// How often a heartbeat is wanted.
        heartbeat: Seconds,
    },
    /// A run this agent will get leases of; sent before the first.
    Run(Box<RunBrief>),
    /// Work.
    Lease(Lease),
    /// Tests to run in a leased pod.
    Grant(LeaseKey, Grant),
    /// Stop the pod and forget the lease.
    Revoke {
        /// Which.
        lease: LeaseKey,
        /// Why.
        reason: String,
    },
    /// Events of a lease are journalled up to this number and may be forgotten.
    Acknowledge {
        /// Which.
        lease: LeaseKey,
        /// The number of the last one.
        sequence: u64,
    },
    /// The run is over; what was kept for it may go.
    Forget(RunId),
}

/// Who an agent is and what it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its id.
    pub agent: AgentId,
    /// This life of it.
    pub boot: BootId,
    /// Host name, for people.
    pub host: String,
    /// Version of the program.
    pub version: String,
    /// Pods it runs at once.
    pub slots: u32,
    /// What it runs pods with.
    pub runtime: Runtime,
    /// `os/architecture` of its pods.
    pub platform: String,
    /// Labels for placement.
    pub labels: BTreeMap<String, String>,
    /// Leases it still holds from before.
    pub leases: Vec<LeaseKey>,
}

/// What pods are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// Containers.
    Docker,
    /// Host processes.
    Process,
}

impl std::fmt::Display for Runtime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Docker => "docker",
            Self::Process => "process",
        })
    }
}

/// All an agent needs to know of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunBrief {
    /// The run.
    pub run: RunId,
    /// What it tests.
    pub snapshot: Snapshot,
    /// What its user asked for.
    pub options: Options,
    /// Values for `[env] pass`.
    pub secrets: Secrets,
}

/// An event, numbered within its lease from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The lease.
    pub lease: LeaseKey,
    /// Its number.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
}
