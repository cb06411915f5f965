//! Which blobs go when there is no room for another.

use std::time::SystemTime;

use muletrain_proto::blob::Digest;

/// A blob that nobody needs at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub digest: Digest,
    /// Bytes that go with it.
    pub size: u64,
    /// When it was used last.
    pub used: SystemTime,
}

/// Those that go so that `wanted` bytes get free, the longest unused first; none when all of them
/// together are not enough.
#[must_use]
pub fn choose(mut candidates: Vec<Candidate>, wanted: u64) -> Option<Vec<Digest>> {
    candidates.sort_by_key(|candidate| (candidate.used, candidate.digest));
    let (mut chosen, mut free) = (vec![], 0_u64);
    for candidate in candidates {
        if free >= wanted {
            break;
        }
        free = free.saturating_add(candidate.size);
        chosen.push(candidate.digest);
    }
    (free >= wanted).then_some(chosen)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn candidate(name: &str, size: u64, used: u64) -> Candidate {
        let used = UNIX_EPOCH + Duration::from_secs(used);
        Candidate { digest: Digest::of(name.as_bytes()), size, used }
    }

    #[test]
    fn the_longest_unused_go_first_and_no_more_than_have_to() {
        let all = vec![candidate("new", 5, 3), candidate("old", 5, 1), candidate("middle", 5, 2)];
        let names = |names: &[&str]| {
            Some(names.iter().map(|name| Digest::of(name.as_bytes())).collect::<Vec<_>>())
        };
        assert_eq!(choose(all.clone(), 0), names(&[]));
        assert_eq!(choose(all.clone(), 5), names(&["old"]));
        assert_eq!(choose(all.clone(), 6), names(&["old", "middle"]));
        assert_eq!(choose(all, 16), None);
    }
}
