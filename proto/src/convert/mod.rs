//! Between protocol buffers and domain values: the only place that knows both.
//!
//! Into the domain by `TryFrom`, which refuses what a peer must not send, and says where it
//! stands; out of it by `From`, which cannot fail. Numbers that count from 1 are required like
//! ids are: protocol buffers cannot tell a zero from a field that was never set.

mod around;
mod blob;
mod event;
mod inventory;
mod lease;
mod link;
mod offer;
mod outcome;
mod pod;
mod run;
mod test;
#[cfg(test)]
mod tests;

use std::fmt::Display;

use crate::{artifact, blob as blobs, id, seconds, snapshot};

/// Why a message of a peer is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A required field is not there, or is of a kind that this build does not know.
    #[error("message refused: {path} is missing")]
    Missing {
        /// Where, from the message inwards, such as `report.lease.run`.
        path: String,
    },
    /// A field holds what it must not.
    #[error("message refused: {path}: {reason}")]
    Invalid {
        /// Where, from the message inwards, such as `hello.leases[2].run`.
        path: String,
        /// What is wrong with it.
        reason: Reason,
    },
    /// The peer is of a version with another contract.
    #[error(
        "the other end speaks protocol {theirs} and this one protocol {ours}; \
         use the same version of muletrain on both"
    )]
    Protocol {
        /// The version this build speaks.
        ours: u32,
        /// The version the message says.
        theirs: u32,
    },
}

/// What is wrong with a field.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// It names something, and not in the way such things are named.
    #[error(transparent)]
    Id(#[from] id::Error),
    /// It names no blob, or brings too much of one.
    #[error(transparent)]
    Blob(#[from] blobs::Error),
    /// It names no file.
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
    /// It is no length of time.
    #[error(transparent)]
    Seconds(#[from] seconds::Error),
    /// It is a member of an enumeration that this build does not know.
    #[error("{0} is not a value this version knows")]
    Unknown(i32),
    /// It is not the JSON that belongs there.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// It is a snapshot that cannot be read.
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
}

impl<R: Into<Reason>> From<R> for Error {
    fn from(reason: R) -> Self {
        Self::Invalid { path: String::new(), reason: reason.into() }
    }
}

impl From<Error> for tonic::Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Missing { .. } | Error::Invalid { .. } => {
                Self::invalid_argument(error.to_string())
            }
            Error::Protocol { .. } => Self::failed_precondition(error.to_string()),
        }
    }
}

impl Error {
    fn missing() -> Self {
        Self::Missing { path: String::new() }
    }

    /// The same error, seen from the message that holds this field.
    fn within(mut self, field: impl Display) -> Self {
        match &mut self {
            Self::Missing { path } | Self::Invalid { path, .. } => {
                *path = match path.is_empty() {
                    true => field.to_string(),
                    false => format!("{field}.{path}"),
                };
            }
            Self::Protocol { .. } => {}
        }
        self
    }
}

/// Says in which field something went wrong.
trait At<T> {
    fn at(self, field: impl Display) -> Result<T, Error>;
}

impl<T, E: Into<Error>> At<T> for Result<T, E> {
    fn at(self, field: impl Display) -> Result<T, Error> {
        self.map_err(|error| error.into().within(field))
    }
}

/// A message that must be there.
fn required<W, D>(message: Option<W>, field: &str) -> Result<D, Error>
where
    D: TryFrom<W, Error: Into<Error>>,
{
    optional(message, field)?.ok_or_else(Error::missing).at(field)
}

/// A message or a text that may be absent.
fn optional<W, D>(message: Option<W>, field: &str) -> Result<Option<D>, Error>
where
    D: TryFrom<W, Error: Into<Error>>,
{
    message.map(|message| D::try_from(message).at(field)).transpose()
}

/// Every element of a repeated field.
fn each<W, D>(values: Vec<W>, field: &str) -> Result<Vec<D>, Error>
where
    D: TryFrom<W, Error: Into<Error>>,
{
    let one = |(index, value)| D::try_from(value).at(format_args!("{field}[{index}]"));
    values.into_iter().enumerate().map(one).collect()
}

/// The same values in the other world, which takes them all.
fn all<A, B: From<A>>(values: Vec<A>) -> Vec<B> {
    values.into_iter().map(B::from).collect()
}

/// A member of an enumeration, which travels as a number.
fn member<W, D>(number: i32, field: &str) -> Result<D, Error>
where
    W: TryFrom<i32>,
    D: TryFrom<W, Error = Error>,
{
    W::try_from(number).map_err(|_| Reason::Unknown(number).into()).and_then(D::try_from).at(field)
}

/// A number that counts from 1.
fn counted<N: Default + PartialEq>(number: N, field: &str) -> Result<N, Error> {
    match number == N::default() {
        true => Err(Error::missing()).at(field),
        false => Ok(number),
    }
}

/// The version of the contract that a peer says it speaks.
fn same_protocol(theirs: u32) -> Result<(), Error> {
    match theirs {
        crate::PROTOCOL => Ok(()),
        theirs => Err(Error::Protocol { ours: crate::PROTOCOL, theirs }),
    }
}

/// A value as the JSON in which it travels.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("what travels as JSON is plain data")
}
