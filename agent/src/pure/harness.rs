//! The words of the harness protocol (`harness/PROTOCOL.md`): commands to it, lines from it.

use std::collections::BTreeMap;
use std::fmt;

use muletrain_proto::event::{
    Booted, ClassTimes, Closed, Collected, Event, Failed, Finished, Fixture, Planned, Ready,
    TimedOut,
};
use muletrain_proto::id::{AppLabel, TestId};
use muletrain_proto::lease::GrantedTest;
use muletrain_proto::outcome::Output;
use muletrain_proto::seconds::Seconds;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pure::kept;

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
    },
    /// Take everything down.
    Finish,
}

/// All a harness needs to load the project.
#[derive(Clone, PartialEq, Serialize)]
pub struct Hello {
    /// Version of the protocol.
    pub protocol: u32,
    /// Absolute path of the project's root.
    pub root: String,
    /// `manage.py`, relative to the root.
    pub manage: Option<String>,
    /// Settings module.
    pub settings: Option<String>,
    /// What loads and runs the tests.
    pub adapter: &'static str,
    /// Apps and their folders.
    pub apps: Vec<App>,
    /// Time limit of a test.
    pub test_timeout: Option<Seconds>,
    /// Whether Django's system checks run.
    pub checks: bool,
    /// Bytes kept of one test's output.
    pub output_limit: u32,
    /// Values of the variables that `[env] pass` names. They travel here because a container's
    /// environment can be read by whoever may inspect it.
    pub environment: BTreeMap<String, String>,
    /// Whether to note which files are read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub trace: bool,
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

/// What the harness says.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// An event the scheduler gets as it is.
    Event(Event),
    /// What the agent keeps databases by, and no scheduler gets.
    Kept(Kept),
    /// From the supervisor: the worker ended without its sentinel.
    Exited(Box<Exited>),
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
    Exited(Box<Exited>),
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
        Raw::Matched { id } => return Ok(Line::Kept(Kept::Matched(id))),
        Raw::Database(database) => return Ok(Line::Kept(Kept::Database(database))),
        Raw::Warmed { manifest, seconds } => {
            return Ok(Line::Kept(Kept::Warmed { manifest, seconds }));
        }
        Raw::Booted { booted, .. } => Event::Booted(booted),
        Raw::Collected(collected) => Event::Collected(collected),
        Raw::Planned(planned) => Event::Planned(planned),
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_one_line_of_json() {
        let lines: String = [
            Command::Collect { labels: vec!["shop".to_owned()] },
            Command::Assign {
                app: AppLabel::new("shop").unwrap(),
                labels: vec!["shop".to_owned()],
                tests: None,
                databases: vec![],
            },
            Command::Match {
                root: "/app".to_owned(),
                candidates: vec![Candidate { id: "1".to_owned(), manifest: Value::Null }],
            },
            Command::Warm,
            Command::Run {
                grant: 1,
                tests: Some(vec![GrantedTest { id: TestId::new("a.B.c").unwrap(), r#try: 2 }]),
            },
            Command::Finish,
        ]
        .iter()
        .map(|command| String::from_utf8(command.to_line()).unwrap())
        .collect();
        insta::assert_snapshot!(lines, @r#"
        {"type":"collect","labels":["shop"]}
        {"type":"assign","app":"shop","labels":["shop"],"tests":null}
        {"type":"match","root":"/app","candidates":[{"id":"1","manifest":null}]}
        {"type":"warm"}
        {"type":"run","grant":1,"tests":[{"id":"a.B.c","try":2}]}
        {"type":"finish"}
        "#);
    }

    #[test]
    fn an_event_is_read() {
        let line = r#"{"type":"finished","test":"a.B.c","try":1,"verdict":"passed","seconds":0.5,
            "reason":null,"failures":[],"output":"hi","output_omitted":0}"#;
        let Line::Event(Event::Finished(finished)) = parse(line).unwrap() else { panic!() };
        assert_eq!(finished.output, Output { text: "hi".to_owned(), omitted: 0 });
    }

    #[test]
    fn the_end_of_the_worker_is_read() {
        let line = r#"{"type":"exited","status":null,"signal":11,"running":"a.B.c",
            "output":"","output_omitted":0,"peak_kib":null}"#;
        let Line::Exited(exited) = parse(line).unwrap() else { panic!() };
        assert_eq!((exited.status, exited.signal), (None, Some(11)));
    }

    #[test]
    fn what_is_said_of_kept_databases_is_read() {
        let database = r#"{"type":"database","alias":"default","vendor":"sqlite","name":"test",
            "tables":"5f","data":"eJw=","seconds":2.5}"#;
        let Line::Kept(Kept::Database(database)) = parse(database).unwrap() else { panic!() };
        assert_eq!((database.alias.as_str(), database.data.as_deref()), ("default", Some("eJw=")));
        let warmed = r#"{"type":"warmed","manifest":{"version":1,"files":[]},"seconds":3}"#;
        let Line::Kept(Kept::Warmed { manifest, .. }) = parse(warmed).unwrap() else { panic!() };
        assert_eq!(manifest["version"], 1);
        let matched = parse(r#"{"type":"matched","id":null}"#).unwrap();
        assert_eq!(matched, Line::Kept(Kept::Matched(None)));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for line in [
            "",
            "hello",
            "{}",
            r#"{"type":"pod_started","pod":"x","seconds":1}"#,
            r#"{"type":"ended","how":"closed"}"#,
            r#"{"type":"surprise"}"#,
            r#"{"type":"done","grant":-1}"#,
            r#"{"type":"booted","protocol":2,"python":"","django":"","runner":"","seconds":1}"#,
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line in ".{0,200}") {
            let _ = parse(&line);
        }
    }

    #[test]
    fn secrets_are_not_in_debug_output() {
        let hello = Hello {
            protocol: PROTOCOL,
            root: "/app".to_owned(),
            manage: None,
            settings: None,
            adapter: "django",
            apps: vec![],
            test_timeout: None,
            checks: false,
            output_limit: 1,
            environment: [("KEY".to_owned(), "canary".to_owned())].into(),
            trace: false,
        };
        assert!(!format!("{:?}", Command::Hello(Box::new(hello))).contains("canary"));
    }
}
