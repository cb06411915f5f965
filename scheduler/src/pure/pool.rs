//! Tests that any pod of their app may be granted, in jobs.
//!
//! A job is a class, or a module that must not be divided. Jobs come phase by phase, because
//! within one process what needs a clean database goes before what leaves none, and within a phase
//! the longest first (Graham, "Bounds on multiprocessing timing anomalies", 1969).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muletrain_proto::id::TestId;

use super::cost::Micros;
use super::ledger::Account;

/// Tests that any pod of their app may be granted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pool {
    jobs: BTreeMap<Rank, BTreeSet<TestId>>,
    ranks: BTreeMap<Arc<str>, Rank>,
    /// What the tests are expected to take, of those of which that is known.
    known: Micros,
    /// Tests of which it is not known.
    unknown: u64,
}

/// The place of a job among the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    phase: u32,
    cost: Reverse<Micros>,
    unknown: Reverse<u64>,
    name: Arc<str>,
    place: usize,
}

/// Tests that are granted together.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// Its phase in Django's order.
    pub phase: u32,
    /// Its place in a serial run.
    pub place: usize,
    /// Its tests.
    pub tests: &'a BTreeSet<TestId>,
    known: Micros,
    unknown: u64,
}

impl Job<'_> {
    /// What it is expected to take, where a test of which nothing is known takes `guess`.
    #[must_use]
    pub fn cost(&self, guess: Micros) -> Micros {
        self.known.saturating_add(self.unknown.saturating_mul(guess))
    }
}

impl Pool {
    /// Adds a test.
    pub fn insert(&mut self, test: &TestId, account: &Account) {
        let (mut rank, mut tests) = self.lift(account);
        if tests.insert(test.clone()) {
            match account.cost {
                Some(cost) => {
                    rank.cost.0 += cost;
                    self.known += cost;
                }
                None => {
                    rank.unknown.0 += 1;
                    self.unknown += 1;
                }
            }
        }
        self.lay(rank, tests);
    }

    /// Takes a test out; one that is not there changes nothing.
    pub fn remove(&mut self, test: &TestId, account: &Account) {
        let (mut rank, mut tests) = self.lift(account);
        if tests.remove(test) {
            match account.cost {
                Some(cost) => {
                    rank.cost.0 -= cost;
                    self.known -= cost;
                }
                None => {
                    rank.unknown.0 -= 1;
                    self.unknown -= 1;
                }
            }
        }
        self.lay(rank, tests);
    }

    /// Takes a job out whose place is about to change.
    fn lift(&mut self, account: &Account) -> (Rank, BTreeSet<TestId>) {
        match self.ranks.remove(&account.job) {
            Some(rank) => {
                let tests = self.jobs.remove(&rank).unwrap_or_default();
                (rank, tests)
            }
            None => {
                let rank = Rank {
                    phase: account.phase,
                    cost: Reverse(0),
                    unknown: Reverse(0),
                    name: Arc::clone(&account.job),
                    place: account.place,
                };
                (rank, BTreeSet::new())
            }
        }
    }

    fn lay(&mut self, rank: Rank, tests: BTreeSet<TestId>) {
        if !tests.is_empty() {
            self.ranks.insert(Arc::clone(&rank.name), rank.clone());
            self.jobs.insert(rank, tests);
        }
    }

    /// Its jobs: phase by phase, the longest first.
    pub fn jobs(&self) -> impl Iterator<Item = Job<'_>> {
        self.jobs.iter().map(|(rank, tests)| Job {
            phase: rank.phase,
            place: rank.place,
            tests,
            known: rank.cost.0,
            unknown: rank.unknown.0,
        })
    }

    /// Every test of it.
    pub fn tests(&self) -> impl Iterator<Item = &TestId> {
        self.jobs.values().flatten()
    }

    /// Number of jobs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether nothing is left in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// What all of it is expected to take, where a test of which nothing is known takes `guess`.
    #[must_use]
    pub fn work(&self, guess: Micros) -> Micros {
        self.known.saturating_add(self.unknown.saturating_mul(guess))
    }
}

#[cfg(test)]
mod tests {
    use muletrain_proto::id::AppLabel;

    use super::*;

    fn account(job: &str, phase: u32, cost: Option<Micros>) -> Account {
        let app = AppLabel::new("shop").unwrap();
        let mut account = Account::new(&app, "shop.tests");
        (account.job, account.phase, account.cost) = (job.into(), phase, cost);
        account
    }

    fn test(id: &str) -> TestId {
        TestId::new(id).unwrap()
    }

    fn order(pool: &Pool) -> Vec<&str> {
        pool.jobs().filter_map(|job| Some(job.tests.first()?.as_str())).collect()
    }

    #[test]
    fn jobs_come_by_phase_and_then_the_longest_first() {
        let mut pool = Pool::default();
        pool.insert(&test("short.a"), &account("short", 0, Some(10)));
        pool.insert(&test("flushes.a"), &account("flushes", 2, Some(900)));
        pool.insert(&test("long.a"), &account("long", 0, Some(8)));
        pool.insert(&test("long.b"), &account("long", 0, Some(8)));
        assert_eq!(order(&pool), ["long.a", "short.a", "flushes.a"]);
        pool.remove(&test("long.a"), &account("long", 0, Some(8)));
        assert_eq!(order(&pool), ["short.a", "long.b", "flushes.a"]);
        assert_eq!(pool.work(0), 918);
    }

    #[test]
    fn a_test_goes_in_once_and_comes_out_once() {
        let mut pool = Pool::default();
        let unknown = account("new", 0, None);
        pool.insert(&test("new.a"), &unknown);
        pool.insert(&test("new.a"), &unknown);
        assert_eq!((pool.work(7), pool.len()), (7, 1));
        pool.remove(&test("new.b"), &unknown);
        pool.remove(&test("other.a"), &account("other", 0, Some(3)));
        pool.remove(&test("new.a"), &unknown);
        assert_eq!(pool, Pool::default());
    }
}
