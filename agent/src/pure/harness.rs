//! The words of the harness protocol (`harness/PROTOCOL.md`): commands to it, lines from it.

use std::collections::BTreeMap;
use std::fmt;

use muletrain_proto::artifact::{Kind, Name};
use muletrain_proto::coverage::Combined;
use muletrain_proto::event::{
    Booted, ClassTimes, Closed, Collected, Event, Failed, Finished, Fixture, Found, Planned, Ready,
    TimedOut, Warnings,
};
use muletrain_proto::hook::Hook;
use muletrain_proto::id::{AppLabel, RunId, TestId};
use muletrain_proto::lease::GrantedTest;
use muletrain_proto::outcome::Output;
use muletrain_proto::run::Isolation;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::suite::Suite;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pure::around::Around;
use crate::pure::kept;

/// The adapter that makes one report of what pods measured of their coverage.
pub const COVERAGE: &str = "coverage";

/// Version of the protocol spoken here.
pub const PROTOCOL: u32 = 1;

/// Longest line accepted from a harness, in bytes.
pub const LINE_LIMIT: usize = 64 << 20;

/// What the agent tells the harness.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Load Django.
    Hello(Box<Hello>),
    /// Find tests.
    Collect {
        /// The user's labels; empty means everything.
        labels: Vec<String>,
    },
    /// Load an app's tests and set the databases up.
    Assign {
        /// Which app.
        app: AppLabel,
        /// Modules or packages to load.
        labels: Vec<String>,
        /// Tests wanted of them; none: all that belong to the app.
        tests: Option<Vec<TestId>>,
        /// Kept databases to begin with.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        databases: Vec<kept::Database>,
        /// Time that the run has left.
        #[serde(skip_serializing_if = "Option::is_none")]
        time_left: Option<Seconds>,
    },
    /// Say which of these was made from what is here.
    Match {
        /// Absolute path of the project's root.
        root: String,
        /// What may hold.
        candidates: Vec<Candidate>,
    },
    /// Set all databases up, and tell what they hold.
    Warm,
    /// Run tests.
    Run {
        /// Number of the grant.
        grant: u32,
        /// Tests and tries; none: all that were planned, first try.
        tests: Option<Vec<GrantedTest>>,
        /// In this order, and not in that of a serial run.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        ordered: bool,
        /// No other tests follow.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        last: bool,
    },
    /// Take everything down.
    Finish,
    /// End the tests at once, and do what is left to do around them.
    Stop,
    /// A piece of what a pod measured of its coverage.
    Part(Piece),
    /// Make one report of these.
    Combine,
}

/// All a harness needs to load the project.
#[derive(Clone, PartialEq, Serialize)]
pub struct Hello {
    /// Version of the protocol.
    pub protocol: u32,
    /// Absolute path of the project's root.
    pub root: String,
    /// The run.
    pub run: RunId,
    /// The suite, with what its adapter has to know.
    pub suite: Suite,
    /// What loads and runs the tests.
    pub adapter: &'static str,
    /// Apps and their folders.
    pub apps: Vec<App>,
    /// Time limit of a test.
    pub test_timeout: Option<Seconds>,
    /// Time limit of a class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_timeout: Option<Seconds>,
    /// Time limit of the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_timeout: Option<Seconds>,
    /// Time limit of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_timeout: Option<Seconds>,
    /// What the names of test databases begin with; none: Django's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_prefix: Option<String>,
    /// Tells this pod's databases from those of others, where they may meet on a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_token: Option<String>,
    /// What every app has to itself.
    pub isolation: Isolation,
    /// Whether Django's system checks run.
    pub checks: bool,
    /// Bytes kept of one test's output.
    pub output_limit: u32,
    /// Values of the variables that `[env] pass` names. They travel here because a container's
    /// environment can be read by whoever may inspect it.
    pub environment: BTreeMap<String, String>,
    /// Services that its pod has; the harness need not know.
    #[serde(skip)]
    pub services: Vec<String>,
    /// What is around the tests.
    #[serde(flatten)]
    pub around: Around,
    /// Whether to note which files are read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub trace: bool,
    /// The seed by which classes and methods are shuffled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffle: Option<u64>,
}

impl Hello {
    /// Whether a pod that was told the other hello can do what this one asks for.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        let of_no_pod =
            |hello: &Self| Self { root: String::new(), db_token: None, ..hello.clone() };
        self.isolation == Isolation::Fork && of_no_pod(self) == of_no_pod(other)
    }
}

impl fmt::Debug for Hello {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hello")
            .field("root", &self.root)
            .field("environment", &self.environment.keys())
            .finish_non_exhaustive()
    }
}

/// An app and its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct App {
    /// Its label.
    pub label: AppLabel,
    /// Its folder, relative to the root.
    pub path: String,
}

/// Kept databases, and what they were made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Names them.
    pub id: String,
    /// As the harness told it.
    pub manifest: Value,
}

impl Command {
    /// The command as it is sent, newline included.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        // Only maps with keys that are no strings can fail, and there are none.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// A piece of a file, on its way out of a pod or into one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// The file's name, unique in its pod.
    pub name: Name,
    /// What it is for.
    #[serde(default)]
    pub kind: Kind,
    /// Bytes the file has, those that are cut off among them.
    #[serde(default)]
    pub size: u64,
    /// What comes next of it, in base64.
    #[serde(default)]
    pub data: String,
    /// Whether it is the last piece.
    pub last: bool,
    /// Bytes cut off the end of the file.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// Why the file is not taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
}

impl Piece {
    /// What it says of its file.
    #[must_use]
    pub fn clone_without_data(&self) -> Self {
        let Self { name, kind, size, last, omitted, lost, .. } = self;
        Self {
            name: name.clone(),
            kind: *kind,
            size: *size,
            data: String::new(),
            last: *last,
            omitted: *omitted,
            lost: lost.clone(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What the harness says.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// An event the scheduler gets as it is.
    Event(Event),
    /// What the agent keeps databases by, and no scheduler gets.
    Kept(Kept),
    /// A piece of a file that is taken out of the pod.
    Piece(Piece),
    /// From the supervisor: the worker ended without its sentinel.
    Exited(Box<Exited>),
    /// From the supervisor: the child that ran an app is gone, and the pod takes another one.
    Idle,
}

/// What a harness says of kept databases.
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// The candidate that holds here.
    Matched(Option<String>),
    /// A database, as it is once it is set up.
    Database(Box<kept::Database>),
    /// All of them are set up.
    Warmed {
        /// What they were made from.
        manifest: Value,
        /// Time it took.
        seconds: Seconds,
    },
}

/// How the worker ended.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Exited {
    /// Exit code.
    pub status: Option<i32>,
    /// Signal.
    pub signal: Option<i32>,
    /// The test under which it ended.
    pub running: Option<TestId>,
    /// Captured since that test began.
    #[serde(flatten)]
    pub output: Output,
}

/// Why a line is not one of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not JSON of a known type with its fields.
    #[error("the harness sent a line that cannot be read ({why}): {line:?}")]
    Malformed {
        /// What the parser says.
        why: String,
        /// The beginning of the line.
        line: String,
    },
    /// It has no end for too long.
    #[error("the harness sent a line of more than {} MiB", LINE_LIMIT >> 20)]
    TooLong,
    /// It cannot be read at all.
    #[error("the output of the harness cannot be read: {why}")]
    Unreadable {
        /// What happened.
        why: String,
    },
    /// It speaks another version.
    #[error("the harness speaks protocol {found}, this agent speaks {PROTOCOL}")]
    Protocol {
        /// The version it says.
        found: u32,
    },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Raw {
    Booted {
        protocol: u32,
        #[serde(flatten)]
        booted: Booted,
    },
    Collected(Collected),
    Planned(Planned),
    Found(Found),
    Ready(Ready),
    Started {
        test: TestId,
        r#try: u32,
    },
    Finished(Finished),
    Fixture(Fixture),
    Class(ClassTimes),
    Done {
        grant: u32,
    },
    Failed(Failed),
    TimedOut(TimedOut),
    Closed(Closed),
    Matched {
        id: Option<String>,
    },
    Database(Box<kept::Database>),
    Warmed {
        manifest: Value,
        seconds: Seconds,
    },
    Artifact(Piece),
    Hook(Hook),
    Warnings(Warnings),
    Combined(Combined),
    Exited(Box<Exited>),
    Idle,
}

/// Reads a line of the harness.
///
/// # Errors
/// When it is not one of the protocol.
pub fn parse(line: &str) -> Result<Line, Error> {
    let raw = serde_json::from_str(line).map_err(|error| Error::Malformed {
        why: error.to_string(),
        line: line.chars().take(200).collect(),
    })?;
    Ok(Line::Event(match raw {
        Raw::Booted { protocol, .. } if protocol != PROTOCOL => {
            return Err(Error::Protocol { found: protocol });
        }
        Raw::Exited(exited) => return Ok(Line::Exited(exited)),
        Raw::Idle => return Ok(Line::Idle),
        Raw::Artifact(piece) => return Ok(Line::Piece(piece)),
        Raw::Hook(hook) => Event::Hook(hook),
        Raw::Warnings(warnings) => Event::Warnings(warnings),
        Raw::Combined(combined) => Event::Combined(combined),
        Raw::Matched { id } => return Ok(Line::Kept(Kept::Matched(id))),
        Raw::Database(database) => return Ok(Line::Kept(Kept::Database(database))),
        Raw::Warmed { manifest, seconds } => {
            return Ok(Line::Kept(Kept::Warmed { manifest, seconds }));
        }
        Raw::Booted { booted, .. } => Event::Booted(booted),
        Raw::Collected(collected) => Event::Collected(collected),
        Raw::Planned(planned) => Event::Planned(planned),
        Raw::Found(found) => Event::Found(found),
        Raw::Ready(ready) => Event::Ready(ready),
        Raw::Started { test, r#try } => Event::Started { test, r#try },
        Raw::Finished(finished) => Event::Finished(finished),
        Raw::Fixture(fixture) => Event::Fixture(fixture),
        Raw::Class(class) => Event::Class(class),
        Raw::Done { grant } => Event::Done { grant },
        Raw::Failed(failed) => Event::Failed(failed),
        Raw::TimedOut(timed_out) => Event::TimedOut(timed_out),
        Raw::Closed(closed) => Event::Closed(closed),
    }))
}

#[cfg(test)]
#[path = "harness_tests.rs"]
mod tests;
