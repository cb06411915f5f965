//! How a test ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How one try of a test ended, or why there was none.
///
/// *Flaky* is no verdict of a try: it is what a report calls a test that failed in one try and
/// passed in a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It ran and nothing was wrong.
    Passed,
    /// The test was not meant to run here.
    Skipped,
    /// It failed, as its author said it would.
    ExpectedFailure,
    /// It passed although its author said it would fail.
    UnexpectedSuccess,
    /// An assertion did not hold.
    Failed,
    /// An exception nobody asserted on.
    Error,
    /// Its process died under it.
    Crashed,
    /// It took longer than it may.
    TimedOut,
    /// It has no result; the reason stands beside it.
    NotRun,
}

impl Verdict {
    /// Every verdict, in the order of their weight.
    pub const ALL: [Self; 9] = [
        Self::Passed,
        Self::Skipped,
        Self::ExpectedFailure,
        Self::UnexpectedSuccess,
        Self::Failed,
        Self::Error,
        Self::Crashed,
        Self::TimedOut,
        Self::NotRun,
    ];

    /// Whether a test with this verdict makes its run red.
    #[must_use]
    pub fn is_red(self) -> bool {
        match self {
            Self::UnexpectedSuccess
            | Self::Failed
            | Self::Error
            | Self::Crashed
            | Self::TimedOut => true,
            Self::Passed | Self::Skipped | Self::ExpectedFailure | Self::NotRun => false,
        }
    }

    /// The verdict as formats write it, such as `expected_failure`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped => "skipped",
            Self::ExpectedFailure => "expected_failure",
            Self::UnexpectedSuccess => "unexpected_success",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Crashed => "crashed",
            Self::TimedOut => "timed_out",
            Self::NotRun => "not_run",
        }
    }
}

impl fmt::Display for Verdict {
    /// As people read it: `expected failure`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.as_str().replace('_', " "))
    }
}
