//! The record of a run, as the scheduler writes it and the reporter reads it.
//!
//! JSON lines. The first is a [`Header`], every other an [`Entry`]. Each line ends with a newline,
//! and one without it was cut off: it is dropped. Readers refuse a version they do not know, and
//! within a version unknown fields are ignored while unknown kinds of record are an error.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::hook::Hook;
use crate::id::{AgentId, LeaseId, RunId, SuiteName, TestId};
use crate::inventory::Inventory;
use crate::lease::{Grant, Lease, Place};
use crate::link::Hello;
use crate::plan::{Estimates, Plan};
use crate::run::{Options, Stop};
use crate::snapshot::Snapshot;
use crate::verdict::Verdict;

/// Version of the journal format that this build writes and the only one it reads.
pub const VERSION: u32 = 1;

/// Name of the journal in a run's directory.
pub const FILE_NAME: &str = "journal.jsonl";

/// What was asked for of a suite and matches nothing in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmatched {
    /// The argument, such as `--tag`; of a label, `label`.
    pub argument: String,
    /// What was given for it.
    pub value: String,
    /// That it matches nothing, in words.
    pub what: String,
    /// Names that are like it.
    pub near: Vec<String>,
}

/// First line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format.
    pub muletrain_journal: u32,
    /// The run it records.
    pub run: RunId,
}

impl Header {
    /// The header of a new journal.
    #[must_use]
    pub fn new(run: RunId) -> Self {
        Self { muletrain_journal: VERSION, run }
    }
}

/// A record with its place and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub number: u64,
    /// Milliseconds since 1970, on the scheduler's clock.
    pub at: u64,
    /// What was recorded.
    #[serde(flatten)]
    pub record: Record,
}

/// What a run went through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A run was accepted.
    Opened {
        /// What it tests.
        snapshot: Box<Snapshot>,
        /// What was asked for.
        options: Box<Options>,
    },
    /// What will run, in which order; a later plan replaces an earlier one.
    Planned {
        /// The plan.
        plan: Plan,
    },
    /// What past runs say, before anything is run.
    Estimated {
        /// Of its apps and their classes.
        estimates: Estimates,
    },
    /// An agent can take work of this run.
    AgentJoined {
        /// Who.
        agent: Hello,
    },
    /// An agent is gone.
    AgentLeft {
        /// Who.
        agent: AgentId,
        /// Whether it went without a word.
        lost: bool,
        /// In words.
        reason: String,
    },
    /// Work was handed out. Written before it is sent.
    Leased {
        /// The work.
        lease: Lease,
        /// Its first grant; none: those of its app's tests that are left when it is asked for
        /// more, a few at a time.
        grant: Option<Grant>,
        /// Where.
        place: Place,
    },
    /// A lease was granted further tests. Written before they are sent.
    Granted {
        /// Which.
        lease: LeaseId,
        /// What.
        grant: Grant,
    },
    /// Something happened in a pod.
    Observed {
        /// The lease.
        lease: LeaseId,
        /// The event's number in it.
        sequence: u64,
        /// What happened.
        event: Event,
    },
    /// A lease is over without its agent's last word.
    LeaseLost {
        /// Which.
        lease: LeaseId,
        /// Why.
        reason: String,
    },
    /// Every test there is to account for: collected now or earlier, and then selected.
    Inventory {
        /// All tests that are wanted.
        inventory: Inventory,
        /// Number of tests that the selection left out.
        deselected: u32,
        /// Whether it was remembered from an earlier run of the same snapshot.
        remembered: bool,
        /// The suite whose tests they are.
        #[serde(default)]
        suite: SuiteName,
        /// What was asked for and is not there, or matches nothing, in words.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<String>,
        /// What was asked for of this suite and matches nothing in it, as another one may have it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unmatched: Vec<Unmatched>,
    },
    /// The scheduler's own verdict on a test.
    Settled {
        /// Which test.
        test: TestId,
        /// Which try of it.
        r#try: u32,
        /// Crashed, timed out, or not run.
        verdict: Verdict,
        /// In words.
        reason: String,
        /// The lease under which it happened.
        lease: Option<LeaseId>,
        /// For a test not run: because work was lost, which makes the run incomplete, and not
        /// because of something that is reported red.
        lost: bool,
    },
    /// No further work is handed out.
    Stopping {
        /// Why.
        stop: Stop,
    },
    /// All pods are gone: whoever handed the run in runs what it has for its end.
    TearingDown,
    /// What became of a command of theirs.
    TornDown {
        /// The command.
        hook: Hook,
    },
    /// The last record: every test is accounted for.
    Closed,
}

/// Why a line of a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not what its place demands.
    #[error("not a journal line: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It was written by a build with another format.
    #[error("journal version {found} cannot be read, this build reads version {VERSION}")]
    Version {
        /// The version it says.
        found: u32,
    },
}

/// Reads the first line of a journal.
///
/// # Errors
/// When it is no header or one of another version.
pub fn read_header(line: &str) -> Result<Header, Error> {
    let header: Header = serde_json::from_str(line)?;
    match header.muletrain_journal {
        VERSION => Ok(header),
        found => Err(Error::Version { found }),
    }
}

/// Reads any other line of a journal.
///
/// # Errors
/// When it is no entry.
pub fn read_entry(line: &str) -> Result<Entry, Error> {
    Ok(serde_json::from_str(line)?)
}

/// A header or an entry as a line, newline included.
///
/// # Panics
/// Never: these types hold nothing that JSON cannot say.
#[must_use]
pub fn line(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value).expect("journal types are plain data");
    text.push('\n');
    text
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
