//! One pod's worth of work, as the scheduler hands it to an agent.

use serde::{Deserialize, Serialize};

use crate::coverage::Part;
use crate::id::{AgentId, AppLabel, LeaseKey, SuiteName, TestId};
use crate::seconds::Seconds;

/// One pod's worth of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// Which.
    #[serde(flatten)]
    pub key: LeaseKey,
    /// What to do.
    pub work: Work,
    /// Whether Django's system checks run in this pod.
    #[serde(default)]
    pub checks: bool,
    /// The suite whose tests it is about.
    #[serde(default)]
    pub suite: SuiteName,
    /// Names of services that its pod does without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Time that the run has left; none: it has no limit, or no tests are run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_left: Option<Seconds>,
}

/// What a lease is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Find every test for the user's labels.
    Collect {
        /// The labels; empty means everything.
        labels: Vec<String>,
    },
    /// Run tests of an app.
    Run {
        /// Which app.
        app: AppLabel,
        /// Modules or packages to load.
        labels: Vec<String>,
        /// Tests to load; none: all that the labels hold of the app.
        tests: Option<Vec<TestId>>,
    },
    /// Make one report of what pods measured of their coverage.
    Combine {
        /// What they measured.
        parts: Vec<Part>,
    },
}

impl Work {
    /// The app whose tests it runs; none where it runs no tests.
    #[must_use]
    pub fn app(&self) -> Option<&AppLabel> {
        match self {
            Self::Collect { .. } | Self::Combine { .. } => None,
            Self::Run { app, .. } => Some(app),
        }
    }
}

/// Tests to run now, in a pod that has its lease's work loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Numbered from 1 within the lease.
    pub number: u32,
    /// Tests and which try of each this is; none: everything planned, first try.
    pub tests: Option<Vec<GrantedTest>>,
    /// Nothing follows: the pod closes when it is done.
    pub last: bool,
    /// They run in this order, and not in that of a serial run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ordered: bool,
}

/// A test of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedTest {
    /// Which.
    pub id: TestId,
    /// Which try, from 1.
    pub r#try: u32,
}

/// Where a lease is worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The agent.
    pub agent: AgentId,
    /// Its slot, from 0.
    pub slot: u32,
}
