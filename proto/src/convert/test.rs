//! Events of tests and of their fixtures.

use super::outcome::output;
use super::{At, Error, all, counted, each, member, optional};
use crate::event::{ClassTimes, Finished, Fixture, LimitOf, TimedOut};
use crate::id::{ClassId, TestId};
use crate::seconds::Seconds;
use crate::wire;

impl TryFrom<wire::TestFinished> for Finished {
    type Error = Error;

    fn try_from(message: wire::TestFinished) -> Result<Self, Error> {
        Ok(Self {
            test: TestId::new(message.test).at("test")?,
            r#try: counted(message.r#try, "try")?,
            verdict: member::<wire::Verdict, _>(message.verdict, "verdict")?,
            seconds: Seconds::new(message.seconds).at("seconds")?,
            reason: message.reason,
            failures: each(message.failures, "failures")?,
            output: output(message.output),
        })
    }
}

impl From<Finished> for wire::TestFinished {
    fn from(event: Finished) -> Self {
        Self {
            test: event.test.into(),
            r#try: event.r#try,
            verdict: wire::Verdict::from(event.verdict).into(),
            seconds: event.seconds.get(),
            reason: event.reason,
            failures: all(event.failures),
            output: Some(event.output.into()),
        }
    }
}

impl TryFrom<wire::Fixture> for Fixture {
    type Error = Error;

    fn try_from(message: wire::Fixture) -> Result<Self, Error> {
        Ok(Self {
            id: TestId::new(message.id).at("id")?,
            class: optional(message.class, "class")?,
            verdict: member::<wire::Verdict, _>(message.verdict, "verdict")?,
            failures: each(message.failures, "failures")?,
            output: output(message.output),
            tests: each(message.tests, "tests")?,
        })
    }
}

impl From<Fixture> for wire::Fixture {
    fn from(event: Fixture) -> Self {
        Self {
            id: event.id.into(),
            class: event.class.map(Into::into),
            verdict: wire::Verdict::from(event.verdict).into(),
            failures: all(event.failures),
            output: Some(event.output.into()),
            tests: all(event.tests),
        }
    }
}

impl TryFrom<wire::ClassTimes> for ClassTimes {
    type Error = Error;

    fn try_from(message: wire::ClassTimes) -> Result<Self, Error> {
        Ok(Self {
            class: ClassId::new(message.class).at("class")?,
            setup_seconds: Seconds::new(message.setup_seconds).at("setup_seconds")?,
            teardown_seconds: Seconds::new(message.teardown_seconds).at("teardown_seconds")?,
            output: output(message.output),
            peak_kib: message.peak_kib,
        })
    }
}

impl From<ClassTimes> for wire::ClassTimes {
    fn from(event: ClassTimes) -> Self {
        Self {
            class: event.class.into(),
            setup_seconds: event.setup_seconds.get(),
            teardown_seconds: event.teardown_seconds.get(),
            output: Some(event.output.into()),
            peak_kib: event.peak_kib,
        }
    }
}

impl TryFrom<wire::TimedOut> for TimedOut {
    type Error = Error;

    fn try_from(message: wire::TimedOut) -> Result<Self, Error> {
        Ok(Self {
            test: TestId::new(message.test).at("test")?,
            r#try: counted(message.r#try, "try")?,
            seconds: Seconds::new(message.seconds).at("seconds")?,
            stacks: message.stacks,
            output: output(message.output),
            limit_of: member::<wire::LimitOf, _>(message.limit_of, "limit_of")?,
            tests: each(message.tests, "tests")?,
        })
    }
}

impl From<TimedOut> for wire::TimedOut {
    fn from(event: TimedOut) -> Self {
        Self {
            test: event.test.into(),
            r#try: event.r#try,
            seconds: event.seconds.get(),
            stacks: event.stacks,
            output: Some(event.output.into()),
            limit_of: wire::LimitOf::from(event.limit_of).into(),
            tests: all(event.tests),
        }
    }
}

impl TryFrom<wire::LimitOf> for LimitOf {
    type Error = Error;

    fn try_from(limit_of: wire::LimitOf) -> Result<Self, Error> {
        Ok(match limit_of {
            wire::LimitOf::Unspecified | wire::LimitOf::Test => Self::Test,
            wire::LimitOf::Class => Self::Class,
            wire::LimitOf::App => Self::App,
            wire::LimitOf::Run => Self::Run,
        })
    }
}

impl From<LimitOf> for wire::LimitOf {
    fn from(limit_of: LimitOf) -> Self {
        match limit_of {
            LimitOf::Test => Self::Test,
            LimitOf::Class => Self::Class,
            LimitOf::App => Self::App,
            LimitOf::Run => Self::Run,
        }
    }
}
