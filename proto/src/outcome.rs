//! What a test, a fixture or a pod left behind: failures, output, the way it ended.

use serde::{Deserialize, Serialize};

use crate::id::TestId;

/// One exception that reached the runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Assertion or anything else.
    pub kind: FailureKind,
    /// Dotted name of the exception class.
    pub exception: String,
    /// Its text.
    pub message: String,
    /// As Python prints it, without frames of the runner.
    pub traceback: String,
    /// Which subtest, such as `(i=1)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtest: Option<String>,
}

/// Whether an assertion did not hold or something else was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// An assertion.
    Failure,
    /// Any other exception.
    Error,
}

/// What was printed, bounded: where it was too much, its middle is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Output {
    /// Text kept.
    #[serde(rename = "output", default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Bytes left out of its middle.
    #[serde(rename = "output_omitted", default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How a pod ended; the last word on its lease.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Ending {
    /// With its sentinel: all it was granted is accounted for.
    Closed,
    /// The harness reported that it could not go on; the failure went before.
    Failed,
    /// A test ran over its limit and was killed; the event went before.
    TimedOut,
    /// The process died on a healthy host: the running test did it.
    Crashed(Death),
    /// The host, the engine or a service failed; no test is to blame.
    Infrastructure {
        /// What happened and what to do.
        reason: String,
    },
    /// The scheduler took the lease back.
    Revoked,
}

/// How a process died.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Death {
    /// The test under which it died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<TestId>,
    /// Its exit status, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The memory limit in bytes, where going over it was the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<u64>,
    /// In words, such as `segmentation fault (signal 11)`.
    pub reason: String,
    /// What was captured since the running test began.
    #[serde(flatten)]
    pub output: Output,
    /// The end of the process's standard error, with the stack of a fatal signal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stderr: String,
}
