//! What will run, in which order, and why.

use serde::{Deserialize, Serialize};

use crate::id::AppLabel;
use crate::seconds::Seconds;

/// What will run, in which order, and why.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Apps, the first to start first.
    pub apps: Vec<PlannedApp>,
    /// Slots the lower bound was worked out for.
    pub slots: u32,
    /// No schedule on that many slots can be shorter: the larger of all work shared evenly and
    /// the longest app. Zero where nothing is known of the past.
    pub lower_bound: Seconds,
}

/// An app of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedApp {
    /// Which.
    pub app: AppLabel,
    /// How long its pod is expected to take, set-up included.
    pub estimate: Option<Seconds>,
    /// Test modules it has, which rank it where there is no estimate.
    pub test_files: u32,
    /// Why it stands where it stands.
    pub reason: String,
}
