//! Values of `[run]` that say in which order tests run, and how often.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// What a test that failed in one try and passed in a later one makes of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Flaky {
    /// It counts as passed.
    #[default]
    Pass,
    /// It makes the run red.
    Fail,
}

/// Further tries for some tests: those of a class, or those with a tag.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// Dotted class (subclasses match) or glob over class ids.
    #[serde(rename = "match")]
    pub class: Option<String>,
    /// Tag of the test or of its class.
    pub tag: Option<String>,
    /// Further tries.
    pub retries: u32,
}

/// Whether tests are shuffled, and how: `true`, or the number that tells one order from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shuffle {
    /// By another seed each time, or not at all.
    Wanted(bool),
    /// By this seed.
    Seed(u64),
}

impl<'de> Deserialize<'de> for Shuffle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShuffleVisitor)
    }
}

struct ShuffleVisitor;

impl Visitor<'_> for ShuffleVisitor {
    type Value = Shuffle;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("true, false or a seed, which is a number from 0 up")
    }

    fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<Shuffle, E> {
        Ok(Shuffle::Wanted(wanted))
    }

    fn visit_u64<E: de::Error>(self, seed: u64) -> Result<Shuffle, E> {
        Ok(Shuffle::Seed(seed))
    }

    fn visit_i64<E: de::Error>(self, seed: i64) -> Result<Shuffle, E> {
        let wrong = |_| E::invalid_value(de::Unexpected::Signed(seed), &self);
        u64::try_from(seed).map(Shuffle::Seed).map_err(wrong)
    }
}
