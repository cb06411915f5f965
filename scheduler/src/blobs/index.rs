//! What the store holds, in memory: sizes, last uses, and uploads that are under way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use muletrain_proto::blob::Digest;

use crate::pure::eviction::{Candidate, choose};

/// How long a blob stays after its last use, so that nothing of an image goes while the rest of
/// it arrives, nor before its run is opened.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// A blob, or what there is of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Bytes it has; while it arrives, those it will have.
    pub size: u64,
    /// When it was used last.
    pub used: SystemTime,
}

/// What the store holds.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Whole blobs.
    pub kept: BTreeMap<Digest, Entry>,
    /// Uploads that broke off.
    pub broken: BTreeMap<Digest, Entry>,
    /// Uploads that are under way, and the room that is held for them.
    pub arriving: BTreeMap<Digest, u64>,
}

impl Index {
    /// Bytes that are taken, or held for what arrives.
    pub(super) fn taken(&self) -> u64 {
        let there = self.kept.values().chain(self.broken.values()).map(|entry| entry.size);
        there.chain(self.arriving.values().copied()).sum()
    }

    /// Which blobs have to go so that another finds room within the limit; none when that cannot
    /// be. What is needed stays.
    pub(super) fn make_room(
        &self,
        size: u64,
        limit: u64,
        needed: &BTreeSet<Digest>,
        now: SystemTime,
    ) -> Option<Vec<Digest>> {
        let is_free = |(digest, entry): &(&Digest, &Entry)| {
            // A clock that was set back makes nothing fresh for ever.
            let age = now.duration_since(entry.used).unwrap_or(FRESH);
            age >= FRESH && !needed.contains(digest)
        };
        let entries = self.kept.iter().chain(&self.broken).filter(is_free);
        let candidates = entries.map(|(digest, entry)| Candidate {
            digest: *digest,
            size: entry.size,
            used: entry.used,
        });
        choose(candidates.collect(), self.taken().saturating_add(size).saturating_sub(limit))
    }
}
