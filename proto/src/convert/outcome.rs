//! Verdicts, failures, output, and the way a pod ended.

use super::{At, Error, member, optional};
use crate::outcome::{Death, Ending, Failure, FailureKind, Output};
use crate::verdict::Verdict;
use crate::wire::{self, ended::How};

impl TryFrom<wire::Verdict> for Verdict {
    type Error = Error;

    fn try_from(verdict: wire::Verdict) -> Result<Self, Error> {
        Ok(match verdict {
            wire::Verdict::Unspecified => return Err(Error::missing()),
            wire::Verdict::Passed => Self::Passed,
            wire::Verdict::Skipped => Self::Skipped,
            wire::Verdict::ExpectedFailure => Self::ExpectedFailure,
            wire::Verdict::UnexpectedSuccess => Self::UnexpectedSuccess,
            wire::Verdict::Failed => Self::Failed,
            wire::Verdict::Error => Self::Error,
            wire::Verdict::Crashed => Self::Crashed,
            wire::Verdict::TimedOut => Self::TimedOut,
            wire::Verdict::NotRun => Self::NotRun,
        })
    }
}

impl From<Verdict> for wire::Verdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Passed => Self::Passed,
            Verdict::Skipped => Self::Skipped,
            Verdict::ExpectedFailure => Self::ExpectedFailure,
            Verdict::UnexpectedSuccess => Self::UnexpectedSuccess,
            Verdict::Failed => Self::Failed,
            Verdict::Error => Self::Error,
            Verdict::Crashed => Self::Crashed,
            Verdict::TimedOut => Self::TimedOut,
            Verdict::NotRun => Self::NotRun,
        }
    }
}

impl TryFrom<wire::FailureKind> for FailureKind {
    type Error = Error;

    fn try_from(kind: wire::FailureKind) -> Result<Self, Error> {
        match kind {
            wire::FailureKind::Unspecified => Err(Error::missing()),
            wire::FailureKind::Failure => Ok(Self::Failure),
            wire::FailureKind::Error => Ok(Self::Error),
        }
    }
}

impl From<FailureKind> for wire::FailureKind {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Failure => Self::Failure,
            FailureKind::Error => Self::Error,
        }
    }
}

impl TryFrom<wire::Failure> for Failure {
    type Error = Error;

    fn try_from(message: wire::Failure) -> Result<Self, Error> {
        Ok(Self {
            kind: member::<wire::FailureKind, _>(message.kind, "kind")?,
            exception: message.exception,
            message: message.message,
            traceback: message.traceback,
            subtest: message.subtest,
        })
    }
}

impl From<Failure> for wire::Failure {
    fn from(failure: Failure) -> Self {
        Self {
            kind: wire::FailureKind::from(failure.kind).into(),
            exception: failure.exception,
            message: failure.message,
            traceback: failure.traceback,
            subtest: failure.subtest,
        }
    }
}

impl From<wire::Output> for Output {
    fn from(message: wire::Output) -> Self {
        Self { text: message.text, omitted: message.omitted }
    }
}

impl From<Output> for wire::Output {
    fn from(output: Output) -> Self {
        Self { text: output.text, omitted: output.omitted }
    }
}

/// Output, where a peer that has none to tell of may leave it out.
pub(super) fn output(message: Option<wire::Output>) -> Output {
    message.map(Output::from).unwrap_or_default()
}

impl TryFrom<wire::Ended> for Ending {
    type Error = Error;

    fn try_from(message: wire::Ended) -> Result<Self, Error> {
        Ok(match message.how.ok_or_else(Error::missing).at("how")? {
            How::Closed(wire::Nothing {}) => Self::Closed,
            How::Failed(wire::Nothing {}) => Self::Failed,
            How::TimedOut(wire::Nothing {}) => Self::TimedOut,
            How::Crashed(death) => Self::Crashed(Death::try_from(death).at("crashed")?),
            How::Infrastructure(reason) => Self::Infrastructure { reason },
            How::Revoked(wire::Nothing {}) => Self::Revoked,
        })
    }
}

impl From<Ending> for wire::Ended {
    fn from(ending: Ending) -> Self {
        let how = match ending {
            Ending::Closed => How::Closed(wire::Nothing {}),
            Ending::Failed => How::Failed(wire::Nothing {}),
            Ending::TimedOut => How::TimedOut(wire::Nothing {}),
            Ending::Crashed(death) => How::Crashed(death.into()),
            Ending::Infrastructure { reason } => How::Infrastructure(reason),
            Ending::Revoked => How::Revoked(wire::Nothing {}),
        };
        Self { how: Some(how) }
    }
}

impl TryFrom<wire::Death> for Death {
    type Error = Error;

    fn try_from(message: wire::Death) -> Result<Self, Error> {
        Ok(Self {
            running: optional(message.running, "running")?,
            status: message.status,
            signal: message.signal,
            memory_limit: message.memory_limit,
            reason: message.reason,
            output: output(message.output),
            stderr: message.stderr,
        })
    }
}

impl From<Death> for wire::Death {
    fn from(death: Death) -> Self {
        Self {
            running: death.running.map(Into::into),
            status: death.status,
            signal: death.signal,
            memory_limit: death.memory_limit,
            reason: death.reason,
            output: Some(death.output.into()),
            stderr: death.stderr,
        }
    }
}
