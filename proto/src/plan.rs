//! What will run, in which order, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{AppLabel, ClassId};
use crate::seconds::Seconds;

/// What will run, in which order, and why.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Apps, the first to start first.
    pub apps: Vec<PlannedApp>,
    /// Slots the lower bound was worked out for.
    pub slots: u32,
    /// No schedule on that many slots can be shorter: the larger of all work shared evenly and
    /// the longest class with its app's set-up. Zero where nothing is known of the past.
    pub lower_bound: Seconds,
}

/// An app of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedApp {
    /// Which.
    pub app: AppLabel,
    /// How long one pod for all of it is expected to take, set-up included.
    pub estimate: Option<Seconds>,
    /// How long a pod for its longest class alone is expected to take, where classes are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<Seconds>,
    /// Test modules it has, which rank it where there is no estimate.
    pub test_files: u32,
    /// Why it stands where it stands.
    pub reason: String,
}

/// What past runs say a run will take.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Estimates {
    /// Apps.
    #[serde(default)]
    pub apps: BTreeMap<AppLabel, AppEstimate>,
    /// Classes, as the time of one of their tests, fixtures of the class included: a class may
    /// have other tests than it had.
    #[serde(default)]
    pub classes: BTreeMap<ClassId, ClassEstimate>,
}

/// What past runs say of an app.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct AppEstimate {
    /// From the lease of one of its pods to its first test.
    pub setup: Seconds,
    /// All that comes after, over all its pods.
    pub work: Seconds,
}

/// What past runs say of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassEstimate {
    /// Its app.
    pub app: AppLabel,
    /// Its tests, when it last ran.
    pub tests: u32,
    /// The time of one of them.
    pub per_test: Seconds,
}

impl AppEstimate {
    /// What one pod for all of it takes.
    #[must_use]
    pub fn whole(&self) -> Seconds {
        [self.setup, self.work].into_iter().sum()
    }
}
