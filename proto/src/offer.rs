//! Databases that an agent has set up and offers to others, by way of the scheduler.
//!
//! What is offered is a blob that only agents understand, who check it before they use it.

use crate::blob::Digest;
use crate::id::SnapshotId;

/// Most offers that are named at once.
pub const LIMIT: usize = 8;

/// A question for databases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seek {
    /// Digest of all that they depend on and that is no file.
    pub key: Digest,
    /// What they are wanted for: of those who want the same, one at a time sets them up.
    pub snapshot: SnapshotId,
    /// Offers that whoever asks has looked at already.
    pub known: Vec<Digest>,
}

/// Databases that are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Digest of all that they depend on and that is no file.
    pub key: Digest,
    /// The blob.
    pub entry: Digest,
}
