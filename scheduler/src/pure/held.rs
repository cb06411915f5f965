//! A lease that is not over, as its run knows it.

use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::event::Planned;
use muletrain_proto::id::TestId;
use muletrain_proto::lease::{Grant, Lease, Place, Work};

use super::Moment;
use super::rules::Rules;

/// A lease that is not over.
#[derive(Debug, Clone)]
pub struct Held {
    /// The lease.
    pub lease: Lease,
    /// What it was granted.
    pub grant: Option<Grant>,
    /// Where it is worked on.
    pub place: Place,
    /// Number of the last event.
    pub sequence: u64,
    /// Tests that its pod has loaded; none: it has not said yet.
    pub planned: Option<BTreeSet<TestId>>,
    /// The last phase of Django's order that it was granted something of.
    pub phase: u32,
    /// Number of the last grant that is done.
    pub done: u32,
    /// From when its set-up counts.
    pub(super) since: Moment,
    /// Verdicts it has given.
    pub verdicts: u32,
    /// The test it is running, or was running when it ended.
    pub running: Option<TestId>,
    /// Tries other than the first, as granted.
    pub(super) tries: BTreeMap<TestId, u32>,
    /// What its tests have to themselves while it lasts, by name.
    pub locks: BTreeSet<String>,
    /// It finished a test after its run had begun to stop.
    pub went_on: bool,
    /// When it was asked back.
    pub revoked: Option<Moment>,
}

impl Held {
    /// One of which nothing is heard yet.
    #[must_use]
    pub fn new(now: Moment, lease: &Lease, place: &Place) -> Self {
        Self {
            lease: lease.clone(),
            grant: None,
            place: place.clone(),
            sequence: 0,
            planned: None,
            phase: 0,
            done: 0,
            since: now,
            verdicts: 0,
            running: None,
            tries: BTreeMap::new(),
            locks: BTreeSet::new(),
            went_on: false,
            revoked: None,
        }
    }

    /// Which try of a test it was granted.
    #[must_use]
    pub fn granted_try(&self, test: &TestId) -> u32 {
        self.tries.get(test).copied().unwrap_or(1)
    }

    /// Takes note of what its pod has loaded. Of what it was asked for by name, it has what it does
    /// not miss: cases that turned up in a run of their job go by the name of the job.
    pub fn plan(&mut self, planned: &Planned) {
        let loaded = planned.inventory.classes.iter().flat_map(|class| &class.tests);
        let mut tests: BTreeSet<TestId> = loaded.map(|test| test.id.clone()).collect();
        if let Work::Run { tests: Some(named), .. } = &self.lease.work {
            let missing: BTreeSet<&TestId> = planned.missing.iter().collect();
            tests.extend(named.iter().filter(|test| !missing.contains(test)).cloned());
        }
        self.planned = Some(tests);
    }

    /// Whether it takes what any pod of its app may be granted that has these services.
    #[must_use]
    pub fn takes(&self, needs: &[String], rules: &Rules) -> bool {
        let is_last = self.grant.as_ref().is_some_and(|grant| grant.last);
        let named = || needs.iter().collect();
        !is_last && self.locks.is_empty() && self.lease.without == rules.without(&named())
    }

    /// Whether its pod waits for tests: it has loaded what it may run, and what it was granted is
    /// done.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        let granted = self.grant.as_ref().map_or(0, |grant| grant.number);
        let is_last = self.grant.as_ref().is_some_and(|grant| grant.last);
        self.planned.is_some() && self.done == granted && !is_last && self.revoked.is_none()
    }

    /// Whether its pod says itself what it is at when the time of the run is up.
    #[must_use]
    pub fn tells_of_overrun(&self) -> bool {
        let is_testing = self.grant.as_ref().is_some_and(|grant| grant.number > self.done);
        self.lease.time_left.is_some() && self.planned.is_some() && is_testing && !self.went_on
    }
}
