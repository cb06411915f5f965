//! Names of things, as types that cannot be mixed up and cannot hold what they must not.
//!
//! Ids arrive from peers and files, and some become paths, labels or command lines, so each is
//! checked once, where it is made.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest test, class or app name accepted, in bytes.
const NAME_LIMIT: usize = 4096;

/// Longest token accepted, in bytes.
const TOKEN_LIMIT: usize = 128;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing to name.
    #[error("{kind} is empty")]
    Empty {
        /// What was being named.
        kind: &'static str,
    },
    /// Longer than any such name can honestly be.
    #[error("{kind} is {length} bytes long, the limit is {limit}")]
    TooLong {
        /// What was being named.
        kind: &'static str,
        /// Bytes it has.
        length: usize,
        /// Bytes it may have.
        limit: usize,
    },
    /// Holds a character that such a name cannot hold.
    #[error("{kind} {text:?} holds {character:?}")]
    Character {
        /// What was being named.
        kind: &'static str,
        /// The text as it came.
        text: String,
        /// The first character that is not allowed.
        character: char,
    },
}

/// Any text a Python project may use as a name; only NUL is refused.
fn check_name(kind: &'static str, text: &str) -> Result<(), Error> {
    check_length(kind, text, NAME_LIMIT)?;
    refuse(kind, text, |character| character == '\0')
}

/// Letters, digits, `-`, `_`, `.` and `:`, not starting with a dot or a dash: safe as a file name, as a
/// Docker label and on a command line.
fn check_token(kind: &'static str, text: &str) -> Result<(), Error> {
    check_length(kind, text, TOKEN_LIMIT)?;
    refuse(kind, text, |character| {
        !(character.is_ascii_alphanumeric() || "-_.:".contains(character))
    })?;
    match text.chars().next().filter(|first| ".-".contains(*first)) {
        Some(character) => Err(Error::Character { kind, text: text.to_owned(), character }),
        None => Ok(()),
    }
}

fn check_length(kind: &'static str, text: &str, limit: usize) -> Result<(), Error> {
    match text.len() {
        0 => Err(Error::Empty { kind }),
        length if length > limit => Err(Error::TooLong { kind, length, limit }),
        _ => Ok(()),
    }
}

fn refuse(kind: &'static str, text: &str, bad: impl Fn(char) -> bool) -> Result<(), Error> {
    match text.chars().find(|character| bad(*character)) {
        Some(character) => Err(Error::Character { kind, text: text.to_owned(), character }),
        None => Ok(()),
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a text and makes it an id.
            ///
            /// # Errors
            /// When the text is empty, too long, or holds a character such an id cannot hold.
            pub fn new(text: impl Into<String>) -> Result<Self, Error> {
                let text = text.into();
                $check($kind, &text)?;
                Ok(Self(text))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }
    };
}

text_id!(
    /// One run of a suite; also the name of its directory.
    RunId, "run id", check_token
);
text_id!(
    /// An agent, the same over its restarts.
    AgentId, "agent id", check_token
);
text_id!(
    /// One life of an agent process.
    BootId, "boot id", check_token
);
text_id!(
    /// A snapshot, by the digest of its content.
    SnapshotId, "snapshot id", check_token
);
text_id!(
    /// A Django app's label, a top-level test package, or a command suite.
    AppLabel, "app label", check_name
);
text_id!(
    /// The name of a suite.
    SuiteName, "suite name", check_token
);
text_id!(
    /// `module.Class`, or as pytest writes it, `path.py::Class`.
    ClassId, "class id", check_name
);
text_id!(
    /// What `unittest` calls a test's `id()`: `module.Class.method`; what pytest calls its node id.
    TestId, "test id", check_name
);

/// What the only suite of a project is called in journals written before suites had names.
impl Default for SuiteName {
    fn default() -> Self {
        Self("django".to_owned())
    }
}

impl AppLabel {
    /// The suite of tests that belong to no app.
    #[must_use]
    pub fn other() -> Self {
        Self("(other)".to_owned())
    }
}

/// A lease within its run, numbered from 1 in the order leases were made.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LeaseId(pub u32);

impl fmt::Display for LeaseId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// A fencing number: of two holders of one piece of work, the one with the higher epoch is right.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// A lease and the run it belongs to: unique on a scheduler.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeaseKey {
    /// The run.
    pub run: RunId,
    /// The lease in it.
    pub lease: LeaseId,
    /// Its fencing epoch.
    pub epoch: Epoch,
}

impl fmt::Display for LeaseKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.run, self.lease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_cannot_leave_its_directory() {
        for text in ["../etc", "a/b", ".", "..", "-a", "a b", "a\n", ""] {
            assert!(RunId::new(text).is_err(), "{text:?}");
        }
        assert!(RunId::new("20260101-120000-k3f9").is_ok());
    }

    #[test]
    fn a_test_id_may_be_any_text_but_nul() {
        assert!(TestId::new("shop.tests.CartTest.test_größe <lambda>").is_ok());
        assert!(TestId::new("a\0b").is_err());
        assert!(TestId::new("x".repeat(NAME_LIMIT + 1)).is_err());
    }

    #[test]
    fn reading_json_checks_too() {
        assert!(serde_json::from_str::<RunId>("\"../x\"").is_err());
    }
}
