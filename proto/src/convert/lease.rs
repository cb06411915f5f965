//! Leases and grants.

use super::{At, Error, all, counted, each, required};
use crate::id::{AppLabel, Epoch, LeaseId, LeaseKey, RunId, SuiteName, TestId};
use crate::lease::{Grant, GrantedTest, Lease, Work};
use crate::seconds::Seconds;
use crate::wire;

impl TryFrom<wire::LeaseKey> for LeaseKey {
    type Error = Error;

    fn try_from(message: wire::LeaseKey) -> Result<Self, Error> {
        Ok(Self {
            run: RunId::new(message.run).at("run")?,
            lease: LeaseId(counted(message.lease, "lease")?),
            epoch: Epoch(message.epoch),
        })
    }
}

impl From<LeaseKey> for wire::LeaseKey {
    fn from(key: LeaseKey) -> Self {
        Self { run: key.run.into(), lease: key.lease.0, epoch: key.epoch.0 }
    }
}

impl TryFrom<wire::Lease> for Lease {
    type Error = Error;

    fn try_from(message: wire::Lease) -> Result<Self, Error> {
        Ok(Self {
            key: required(message.key, "key")?,
            work: required(message.work, "work")?,
            checks: message.checks,
            suite: SuiteName::new(message.suite).at("suite")?,
            without: message.without,
            time_left: message.time_left.map(Seconds::new).transpose().at("time_left")?,
        })
    }
}

impl From<Lease> for wire::Lease {
    fn from(lease: Lease) -> Self {
        Self {
            key: Some(lease.key.into()),
            work: Some(lease.work.into()),
            checks: lease.checks,
            suite: lease.suite.into(),
            without: lease.without,
            time_left: lease.time_left.map(Seconds::get),
        }
    }
}

impl TryFrom<wire::lease::Work> for Work {
    type Error = Error;

    fn try_from(message: wire::lease::Work) -> Result<Self, Error> {
        Ok(match message {
            wire::lease::Work::Collect(wire::Collect { labels }) => Self::Collect { labels },
            wire::lease::Work::Run(wire::RunTests { app, labels, tests }) => Self::Run {
                app: AppLabel::new(app).at("app")?,
                labels,
                tests: tests.map(|list| each(list.ids, "tests")).transpose()?,
            },
            wire::lease::Work::Combine(wire::Combine { parts }) => {
                Self::Combine { parts: each(parts, "parts")? }
            }
        })
    }
}

impl From<Work> for wire::lease::Work {
    fn from(work: Work) -> Self {
        match work {
            Work::Collect { labels } => Self::Collect(wire::Collect { labels }),
            Work::Run { app, labels, tests } => Self::Run(wire::RunTests {
                app: app.into(),
                labels,
                tests: tests.map(|ids| wire::TestList { ids: all(ids) }),
            }),
            Work::Combine { parts } => Self::Combine(wire::Combine { parts: all(parts) }),
        }
    }
}

impl TryFrom<wire::Grant> for (LeaseKey, Grant) {
    type Error = Error;

    fn try_from(message: wire::Grant) -> Result<Self, Error> {
        let grant = Grant {
            number: counted(message.number, "number")?,
            tests: message.tests.map(|list| each(list.tests, "tests")).transpose()?,
            last: message.last,
            ordered: message.ordered,
        };
        Ok((required(message.lease, "lease")?, grant))
    }
}

impl From<(LeaseKey, Grant)> for wire::Grant {
    fn from((key, grant): (LeaseKey, Grant)) -> Self {
        Self {
            lease: Some(key.into()),
            number: grant.number,
            tests: grant.tests.map(|tests| wire::GrantedTests { tests: all(tests) }),
            last: grant.last,
            ordered: grant.ordered,
        }
    }
}

impl TryFrom<wire::GrantedTest> for GrantedTest {
    type Error = Error;

    fn try_from(message: wire::GrantedTest) -> Result<Self, Error> {
        Ok(Self { id: TestId::new(message.id).at("id")?, r#try: counted(message.r#try, "try")? })
    }
}

impl From<GrantedTest> for wire::GrantedTest {
    fn from(test: GrantedTest) -> Self {
        Self { id: test.id.into(), r#try: test.r#try }
    }
}
