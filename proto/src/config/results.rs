//! What becomes of runs that are over: how many are kept, for how long, in how much room.

use serde::Deserialize;

use super::units;

/// Days that a run is kept, unless it is said otherwise.
const DAYS: u32 = 30;

/// Bytes of runs that are kept, unless it is said otherwise.
const BYTES: u64 = 1 << 30;

/// Runs that are kept however old and large they are, unless it is said otherwise.
const RUNS: u32 = 10;

/// Which runs are kept. Whatever is said, one that is not over is never touched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Results {
    /// Days after which a run is removed; 30 where nothing is said.
    pub keep_days: Option<u32>,
    /// Bytes of all runs together, such as `"5g"`, beyond which the oldest are removed; 1 GiB
    /// where nothing is said.
    #[serde(deserialize_with = "units::read_bytes")]
    pub keep_bytes: Option<u64>,
    /// The newest runs, which are kept however old and large they are; 10 where nothing is said.
    pub keep_runs: Option<u32>,
}

impl Results {
    /// Days after which a run is removed.
    #[must_use]
    pub fn days(&self) -> u32 {
        self.keep_days.unwrap_or(DAYS)
    }

    /// Bytes of all runs together beyond which the oldest are removed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.keep_bytes.unwrap_or(BYTES)
    }

    /// Newest runs that are kept however old and large they are.
    #[must_use]
    pub fn runs(&self) -> u32 {
        self.keep_runs.unwrap_or(RUNS)
    }
}
