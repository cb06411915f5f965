//! Names that are there only once: one that comes again gets a number.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Names that were given. They are kept by their hashes: that two share one is nearly impossible,
/// and a million of them are a few megabytes.
#[derive(Debug, Default)]
pub struct Unique {
    /// The last number that was given to a name.
    given: HashMap<u64, u32>,
}

impl Unique {
    /// The name, with a number where it was given before: `name #2`. A name that looks as if it
    /// had a number already is a name like any other.
    pub fn name(&mut self, scope: Option<&str>, name: &str) -> String {
        let first = hash(&(scope, name));
        let Some(mut number) = self.given.get(&first).copied() else {
            self.given.insert(first, 1);
            return name.to_owned();
        };
        loop {
            number += 1;
            let numbered = format!("{name} #{number}");
            if let Entry::Vacant(free) = self.given.entry(hash(&(scope, &numbered))) {
                free.insert(1);
                self.given.insert(first, number);
                return numbered;
            }
        }
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_somebody_has_is_passed_over() {
        let mut unique = Unique::default();
        let mut names = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| unique.name(None, name)).collect()
        };
        assert_eq!(names(&["a", "a", "a #2"]), ["a", "a #2", "a #2 #2"]);
        assert_eq!(names(&["b #2", "b", "b", "b"]), ["b #2", "b", "b #3", "b #4"]);
        assert_eq!(unique.name(Some("T"), "a"), "a");
    }
}
