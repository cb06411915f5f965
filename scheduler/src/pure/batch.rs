//! What a waiting pod is granted next.
//!
//! Guided self-scheduling (Polychronopoulos and Kuck, 1987): a grant is a share of what is left,
//! so that grants are few while there is much to do, and short at the end, where pods that share
//! an app must not wait for one another.
//!
//! The first pod of an app takes its tests in the order of a serial run, so that tests which
//! depend on what ran before them find it as far as anyhow possible: an app that is not shared
//! runs just as it would alone. Further pods take the longest classes, and so does the first one
//! where a class is so long that all would wait for it.

use std::collections::BTreeSet;

use muletrain_proto::id::{LeaseId, TestId};
use muletrain_proto::lease::{Grant, GrantedTest};
use muletrain_proto::suite::Adapter;

use super::cost::Micros;
use super::pool::{Job, Pool};
use super::run::{Held, Run};
use super::work;

/// A grant is at least this long where there is enough: asking for the next one takes a moment.
const LEAST: Micros = 1_000_000;

/// The phase of pytest's classes and files with a test that flushes databases.
const TRANSACTIONAL_OF_PYTEST: u32 = 1;

/// Grants that what is left is shared into, for each pod that may share it.
const SHARES: u64 = 2;

/// The next grant of a pod that waits for one; one without tests ends it.
#[must_use]
pub fn next(run: &Run, held: &Held) -> Grant {
    let number = held.grant.as_ref().map_or(1, |grant| grant.number + 1);
    let (tests, last) = choose(run, held);
    let planned = held.planned.as_ref();
    let is_everything = number == 1 && planned.is_some_and(|planned| planned.len() == tests.len());
    let granted = |id: TestId| {
        let tries = run.ledger.get(&id).map_or(0, |account| account.tries);
        GrantedTest { id, r#try: tries + 1 }
    };
    let tests: Vec<GrantedTest> = tests.into_iter().map(granted).collect();
    let is_first = tests.iter().all(|test| test.r#try == 1);
    let all = is_everything && is_first && !tests.is_empty();
    Grant { number, tests: (!all).then_some(tests), last, ordered: false }
}

/// Tests, and whether they are the last ones for this pod.
fn choose(run: &Run, held: &Held) -> (Vec<TestId>, bool) {
    let Some((pool, pods)) = pool_of(run, held) else { return (Vec::new(), true) };
    let empty = BTreeSet::new();
    let planned = held.planned.as_ref().unwrap_or(&empty);
    let guess = run.pace.test();
    let mut jobs: Vec<Job<'_>> = pool
        .jobs()
        .filter(|job| is_in_time(run, held, job) && !job.tests.is_disjoint(planned))
        .collect();
    let left: Micros = jobs.iter().map(|job| job.cost(guess)).sum();
    let target = target(run, held, left, pods.len() as u64);
    let longest = jobs.iter().map(|job| job.cost(guess)).max().unwrap_or_default();
    let is_first = pods.first() == Some(&held.lease.key.lease);
    let is_long = pods.len() > 1 && longest > left / (SHARES * pods.len() as u64);
    if is_first && !is_long {
        jobs.sort_by_key(|job| (job.phase, job.place));
    }
    let (mut taken, mut cost, mut jobs) = (Vec::new(), 0, jobs.into_iter().peekable());
    let mixed = jobs.peek().map(|job| (job.phase, is_mixed(run, held, job)));
    let is_wanted = |job: &Job<'_>, cost| match (target, mixed) {
        (None, _) => true,
        (_, Some((phase, true))) => job.phase == phase,
        (Some(target), _) => cost < target && !is_mixed(run, held, job),
    };
    while let Some(job) = jobs.next_if(|job| is_wanted(job, cost)) {
        cost += job.cost(guess).max(1);
        taken.extend(job.tests.intersection(planned).cloned());
    }
    (taken, jobs.peek().is_none())
}

/// Whether nothing that a pod has run so far must come after a job.
fn is_in_time(run: &Run, held: &Held, job: &Job<'_>) -> bool {
    let is_same = job.phase == held.phase && held.grant.is_some();
    job.phase >= held.phase && !(is_same && is_mixed(run, held, job))
}

/// Whether a job of pytest may hold tests of several phases: its file comes as late as the last of
/// them. All such jobs go into one grant, in which each test has its place.
fn is_mixed(run: &Run, held: &Held, job: &Job<'_>) -> bool {
    let suite = run.snapshot.suites.iter().find(|suite| suite.name == held.lease.suite);
    let is_pytest = suite.is_some_and(|suite| matches!(suite.adapter, Adapter::Pytest { .. }));
    is_pytest && job.phase == TRANSACTIONAL_OF_PYTEST
}

/// What a pod may be granted of, and the pods that share it.
fn pool_of<'a>(run: &'a Run, held: &Held) -> Option<(&'a Pool, Vec<LeaseId>)> {
    let app = held.lease.work.app()?;
    let is_broken = run.apps.get(app).is_some_and(|state| state.broken.is_some());
    let free = run.ledger.free(app).filter(|_| !is_broken)?;
    let (needs, pool) = free.pools.iter().find(|(needs, _)| held.takes(needs, &run.rules))?;
    Some((pool, work::pods(run, app, needs).collect()))
}

/// How much one grant may take; none: all there is, because no other pod will share it.
fn target(run: &Run, held: &Held, left: Micros, pods: u64) -> Option<Micros> {
    let slots = run.options.slots.map_or(run.plan.slots, |slots| slots.min(run.plan.slots));
    let slots = u64::from(slots);
    let setup = held.lease.work.app().and_then(|app| work::setup(run, app));
    // The seed of a shuffled order is worth nothing where what a pod runs is left to chance.
    let is_alone = run.options.shuffle.is_some()
        || pods <= 1 && (slots <= 1 || setup.is_some_and(|setup| left <= setup));
    (!is_alone).then(|| (left / (SHARES * pods.max(slots).max(1))).max(LEAST))
}
