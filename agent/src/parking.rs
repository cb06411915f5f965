//! Pods that outlive a lease: where apps are children forked in one pod, the slot's next lease of
//! the run begins where Django is loaded already.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use muletrain_proto::event::Booted;
use muletrain_proto::id::{LeaseKey, RunId};

use crate::pod::Pod;
use crate::pure::harness::Hello;
use crate::pure::patience::STOP_LIMIT;

/// How long a pod is kept for a lease that does not come.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// A pod without a lease.
#[derive(Debug)]
pub struct Parked {
    /// It.
    pub pod: Pod,
    /// The lease it was started for, by which it is killed and removed.
    pub home: LeaseKey,
    /// What it was told first.
    pub hello: Hello,
    /// What it said once the project was loaded.
    pub booted: Booted,
    /// Images of services with databases on them that it was started with.
    pub images: BTreeMap<String, String>,
    /// Since when it has no lease.
    pub since: Instant,
}

impl Parked {
    /// Ends its process. Databases that it has on servers of others are removed before that.
    pub async fn end(self) {
        if self.hello.db_token.is_some() {
            self.pod.stop(STOP_LIMIT).await;
        }
    }
}

/// All of an agent's.
#[derive(Debug, Default)]
pub struct Parking {
    pods: Mutex<Pods>,
}

#[derive(Debug, Default)]
struct Pods {
    parked: Vec<Parked>,
    /// The homes of these, and of those that a later lease has.
    homes: Vec<LeaseKey>,
}

impl Parking {
    /// Keeps a pod until a lease takes it or somebody removes it.
    pub fn park(&self, parked: Parked) {
        let mut pods = self.lock();
        if !pods.homes.contains(&parked.home) {
            pods.homes.push(parked.home.clone());
        }
        pods.parked.push(parked);
    }

    /// A pod of a run that lives and was told and given the same.
    pub fn take(
        &self,
        run: &RunId,
        hello: &Hello,
        images: &BTreeMap<String, String>,
    ) -> Option<Parked> {
        let mut pods = self.lock();
        let index = pods.parked.iter_mut().position(|parked| {
            parked.home.run == *run
                && hello.fits(&parked.hello)
                && parked.images == *images
                && parked.pod.is_quiet()
        })?;
        Some(pods.parked.remove(index))
    }

    /// Leases whose pods are kept or were taken over. Whoever looks for pods that nobody holds
    /// must spare these.
    #[must_use]
    pub fn homes(&self) -> Vec<LeaseKey> {
        self.lock().homes.clone()
    }

    /// A pod is removed.
    pub fn forget(&self, home: &LeaseKey) {
        self.lock().homes.retain(|other| other != home);
    }

    /// Pods of a run; the caller removes them.
    pub fn of_run(&self, run: &RunId) -> Vec<Parked> {
        self.evict(|parked| parked.home.run == *run)
    }

    /// Pods that waited for too long; the caller removes them.
    pub fn idle(&self, now: Instant) -> Vec<Parked> {
        self.evict(|parked| now.saturating_duration_since(parked.since) > IDLE_LIMIT)
    }

    /// All pods; the caller removes them.
    pub fn all(&self) -> Vec<Parked> {
        self.evict(|_| true)
    }

    /// Pods that stand in the way of a lease of a run, where there is room for so many; the
    /// longest parked, which the caller removes.
    pub fn crowding(&self, run: &RunId, room: usize) -> Vec<Parked> {
        let mut pods = self.lock();
        let own = pods.parked.iter().filter(|parked| parked.home.run == *run).count();
        let surplus = (pods.parked.len() + usize::from(own == 0)).saturating_sub(room.max(1));
        let mut evicted = Vec::new();
        for _ in 0..surplus {
            let other = pods.parked.iter().position(|parked| parked.home.run != *run);
            evicted.extend(other.map(|index| pods.parked.remove(index)));
        }
        evicted
    }

    fn evict(&self, mut is_chosen: impl FnMut(&Parked) -> bool) -> Vec<Parked> {
        self.lock().parked.extract_if(.., |parked| is_chosen(parked)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Pods> {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "parking_tests.rs"]
mod tests;
