//! What goes into the conversation of a lease, and what comes out of it.

use muletrain_proto::coverage::Part;
use muletrain_proto::event::{Booted, Event, PodStarted, Warming};
use muletrain_proto::lease::Grant;

use crate::pure::harness::{self, Command, Line, Piece};
use crate::pure::kept::Database;
use crate::pure::outcome::Exit;

/// What a lease's conversation reacts to.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Something becomes of the databases that it waits for before its pod is started.
    Warming(Warming),
    /// Kept databases that the pod can begin with.
    Kept(Vec<Database>),
    /// The pod is up.
    Started(PodStarted),
    /// A pod is there that has loaded the project for an earlier lease.
    Resumed(PodStarted, Booted),
    /// The pod could not be brought up.
    NotStarted {
        /// What failed and what to do.
        reason: String,
    },
    /// The harness said something.
    Line(Result<Line, harness::Error>),
    /// The scheduler grants tests.
    Grant(Grant),
    /// The scheduler wants the lease back.
    Revoke,
    /// The agent must let go of the pod.
    Stop {
        /// Why.
        reason: String,
    },
    /// The pod's process is gone, and all it said went before.
    Exited(Exit),
    /// The time of [`Conversation::deadline`] has come.
    Tick,
}

/// What a lease's conversation wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Tell the harness.
    Command(Command),
    /// Tell the scheduler.
    Event(Event),
    /// Send the pod what other pods measured of their coverage.
    Deliver(Vec<Part>),
    /// Take in a piece of a file of the pod.
    Take(Piece),
    /// Kill the pod.
    Kill,
}
