//! Totals of a run, or of an app.

use muletrain_proto::verdict::Verdict;
use serde::Serialize;

use super::summary::Outcome;

/// How many tests ended how. A flaky test counts as flaky only. The JSON report shows it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Passed at once.
    pub passed: u32,
    /// Passed after a red try.
    pub flaky: u32,
    /// Skipped.
    pub skipped: u32,
    /// Failed as expected.
    pub expected_failures: u32,
    /// Passed against expectation.
    pub unexpected_successes: u32,
    /// Failed.
    pub failed: u32,
    /// Ended in an error.
    pub errors: u32,
    /// Died with their process.
    pub crashed: u32,
    /// Took too long.
    pub timed_out: u32,
    /// Not run because of something red, or because the run was stopped.
    pub not_run: u32,
    /// Without a verdict because work was lost.
    pub lost: u32,
    /// What went wrong outside of tests.
    pub problems: u32,
}

impl Counts {
    /// Counts a test.
    pub fn add(&mut self, outcome: Outcome, lost: bool) {
        *match outcome.verdict {
            _ if outcome.flaky => &mut self.flaky,
            Verdict::Passed => &mut self.passed,
            Verdict::Skipped => &mut self.skipped,
            Verdict::ExpectedFailure => &mut self.expected_failures,
            Verdict::UnexpectedSuccess => &mut self.unexpected_successes,
            Verdict::Failed => &mut self.failed,
            Verdict::Error => &mut self.errors,
            Verdict::Crashed => &mut self.crashed,
            Verdict::TimedOut => &mut self.timed_out,
            Verdict::NotRun if lost => &mut self.lost,
            Verdict::NotRun => &mut self.not_run,
        } += 1;
    }

    /// The same, where a flaky test counts as one that failed.
    #[must_use]
    pub fn strict(self) -> Self {
        Self { failed: self.failed + self.flaky, flaky: 0, ..self }
    }

    /// Tests in all; problems are none.
    #[must_use]
    pub fn tests(&self) -> u32 {
        self.passed
            + self.flaky
            + self.skipped
            + self.expected_failures
            + self.red_tests()
            + self.not_run
            + self.lost
    }

    /// Tests that make the run red.
    #[must_use]
    pub fn red_tests(&self) -> u32 {
        self.unexpected_successes + self.failed + self.errors + self.crashed + self.timed_out
    }

    /// Everything that makes the run red.
    #[must_use]
    pub fn red(&self) -> u32 {
        self.red_tests() + self.problems
    }
}
