//! Which test has a name: places of tests by the hash of their names, five bytes each.

use std::hash::{DefaultHasher, Hasher};

/// Stands for no test.
const FREE: u32 = u32::MAX;

/// Places by hash. Half of the table or more is always free.
#[derive(Debug, Default)]
pub(super) struct Index {
    table: Vec<u32>,
    /// Of each place, a piece of the hash that its slot does not tell: another name is seldom
    /// looked at, for that is in memory that nobody has touched lately.
    tags: Vec<u8>,
    used: usize,
}

/// The hash of a name, whatever pieces it comes in.
#[must_use]
pub(super) fn hash<'a>(pieces: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    pieces.into_iter().for_each(|piece| hasher.write(piece.as_bytes()));
    hasher.finish()
}

impl Index {
    /// The place with this hash that `is` the one that is looked for.
    pub(super) fn find(&self, hash: u64, is: impl Fn(usize) -> bool) -> Option<usize> {
        let mut slot = self.slot(hash)?;
        loop {
            let place = self.table[slot];
            if place == FREE {
                return None;
            }
            if self.tags[slot] == tag(hash) && is(place as usize) {
                return Some(place as usize);
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
    }

    /// Adds a place that is not in it. `hash_of` gives the hashes of those that are.
    pub(super) fn add(&mut self, hash: u64, place: usize, hash_of: impl Fn(usize) -> u64) {
        let Ok(place) = u32::try_from(place) else { return };
        if (self.used + 1) * 2 > self.table.len() {
            self.grow(hash_of);
        }
        self.used += 1;
        self.put(hash, place);
    }

    fn slot(&self, hash: u64) -> Option<usize> {
        let mask = (self.table.len() as u64).checked_sub(1)?;
        usize::try_from(hash & mask).ok()
    }

    fn put(&mut self, hash: u64, place: u32) {
        let Some(mut slot) = self.slot(hash) else { return };
        while self.table[slot] != FREE {
            slot = (slot + 1) & (self.table.len() - 1);
        }
        self.table[slot] = place;
        self.tags[slot] = tag(hash);
    }

    /// Makes a table of twice the size; the old one is gone before.
    fn grow(&mut self, hash_of: impl Fn(usize) -> u64) {
        let size = (self.table.len() * 2).max(64);
        let used = self.used;
        self.table = Vec::new();
        self.table.resize(size, FREE);
        self.tags = Vec::new();
        self.tags.resize(size, 0);
        for place in 0..used {
            self.put(hash_of(place), u32::try_from(place).unwrap_or(FREE));
        }
    }
}

/// The bits that matter least to slots.
fn tag(hash: u64) -> u8 {
    hash.to_be_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_the_hash_of_the_whole() {
        assert_eq!(hash(["shop.tests.T", ".", "test_add"]), hash(["shop.tests.T.test_add"]));
        assert_ne!(hash(["a"]), hash(["b"]));
    }

    proptest::proptest! {
        #[test]
        fn what_was_added_is_found(names in proptest::collection::vec("[a-c]{0,3}", 0..300)) {
            let (mut index, mut known) = (Index::default(), Vec::<String>::new());
            for name in &names {
                let wanted = hash([name.as_str()]);
                let found = index.find(wanted, |place| known[place] == *name);
                proptest::prop_assert_eq!(found, known.iter().position(|one| one == name));
                if found.is_none() {
                    index.add(wanted, known.len(), |place| hash([known[place].as_str()]));
                    known.push(name.clone());
                }
            }
        }
    }
}
