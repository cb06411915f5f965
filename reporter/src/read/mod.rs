//! Results of any tool: what kind they are, and one reader for each kind. All but journals become
//! parts of a JUnit document.

pub mod ctrf;
pub mod detect;
pub mod input;
pub mod journal;
pub mod junit;
pub mod lines;
pub mod report_log;
pub mod shorten;
pub mod source;

use std::io;

use self::detect::Kind;
use self::input::Input;
use self::junit::Sink;
use self::source::Source;
use crate::pure::junit::limits::bound;
use crate::pure::junit::{Element, Part, properties};
use crate::pure::text::plural;

/// How much of a document a reader gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of it, with at most this many bytes of each text.
    Everything {
        /// Bytes of a text.
        text: usize,
    },
    /// The same, and cases with nothing in them as they are to be written.
    Written {
        /// Bytes of a text.
        text: usize,
    },
    /// What counting cases needs.
    Counts,
}

impl Keep {
    /// Keeps a case that a reader has whole as a JUnit document would be read; gives back how many
    /// elements had to go.
    fn bound(self, case: &mut Element) -> u64 {
        match self {
            Self::Everything { text } | Self::Written { text } => bound(case, text),
            Self::Counts => 0,
        }
    }
}

/// What reading a file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What ended it early.
    pub damage: Option<Damage>,
    /// What was odd, in words.
    pub notes: Vec<String>,
    /// Cases given.
    pub cases: u64,
}

/// Why a file could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where, in bytes of its text.
    pub byte: u64,
    /// In words.
    pub reason: String,
}

impl Damage {
    fn at(byte: u64, error: &io::Error) -> Self {
        Self { byte, reason: error.to_string() }
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "byte {}: {}", self.byte, self.reason)
    }
}

/// Reads a result that is no journal. Damage is given as a case of its own as well, after all that
/// could be read: whatever is made of the parts says it.
///
/// # Errors
/// Whatever the sink says.
pub fn parts(input: &Input, keep: Keep, sink: Sink<'_>) -> io::Result<Reading> {
    let reading = match input.bytes() {
        Ok(bytes) => of_kind(Source::new(bytes), keep, sink)?,
        Err(error) => unreadable(Damage::at(0, &error)),
    };
    if let Some(damage) = &reading.damage {
        damaged(&input.path.display().to_string(), damage).into_iter().try_for_each(sink)?;
    }
    Ok(reading)
}

/// Says of a file that it cannot be read, as [`parts`] does.
///
/// # Errors
/// Whatever the sink says.
pub fn reading_failed(path: &str, damage: Damage, sink: Sink<'_>) -> io::Result<Reading> {
    damaged(path, &damage).into_iter().try_for_each(sink)?;
    Ok(unreadable(damage))
}

fn of_kind(mut source: Source<impl io::Read>, keep: Keep, sink: Sink<'_>) -> io::Result<Reading> {
    let kind = detect::kind(source.peek());
    match (kind, source.ahead(1)) {
        (Kind::Unknown(_), Err(error)) => Ok(unreadable(Damage::at(0, &error))),
        (Kind::Unknown(what), Ok(_)) => {
            Ok(unreadable(Damage { byte: 0, reason: format!("it is {what}") }))
        }
        (Kind::Journal, _) => {
            let reason = "it is a journal of muletrain: only `report` reads those".to_owned();
            Ok(unreadable(Damage { byte: 0, reason }))
        }
        (Kind::Xml, _) => junit::read(source, keep, sink),
        (Kind::Ctrf, _) => ctrf::read(source, keep, sink),
        (Kind::ReportLog, _) => report_log::read(source, keep, sink),
    }
}

/// What had to be left out of a file in JSON, in words.
fn left_out(tests: u64, parts: u64) -> Vec<String> {
    let count = |number: u64, thing: &str| {
        (number > 0).then(|| plural(usize::try_from(number).unwrap_or(usize::MAX), thing))
    };
    let tests = count(tests, "test").map(|all| format!("{all} larger than 16 MiB, shortened"));
    let parts = count(parts, "part").map(|all| format!("{all} beyond the limits, left out"));
    tests.into_iter().chain(parts).collect()
}

fn unreadable(damage: Damage) -> Reading {
    Reading { damage: Some(damage), notes: Vec::new(), cases: 0 }
}

/// A suite whose only case says that a file could not be read to its end.
fn damaged(path: &str, damage: &Damage) -> [Part; 4] {
    let about = properties([("muletrain.damaged", path.to_owned())]);
    let error = Element::new("error")
        .with("type", "muletrain.UnreadableReport")
        .with("message", format!("unreadable report: {path}, {damage}"));
    let case = Element::new("testcase").with("classname", "muletrain").with("name", path);
    [
        Part::Open(Element::new("testsuite").with("name", "muletrain")),
        Part::Aside(about),
        Part::Case(case.with_child(error)),
        Part::Close,
    ]
}
