//! What makes a test fail: itself, or tests that run before it. A search by runs of a few tests.

use std::collections::BTreeSet;

use muletrain_proto::id::TestId;

use super::search::Search;

/// Runs that a search takes at most.
pub const LIMIT: u32 = 40;

/// A search that is asked what to run before the test, and told whether the test was red.
#[derive(Debug, Clone)]
pub struct Isolation {
    stage: Stage,
    orders: Vec<(Order, Vec<TestId>)>,
    is_red_alone: bool,
    runs: u32,
}

#[derive(Debug, Clone)]
enum Stage {
    Alone,
    /// The next of the orders.
    InOrder,
    Among(Search<TestId>),
    Over(Finding),
}

/// Where an order comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Of the pod in which the test failed.
    Pod,
    /// Of a serial run.
    Serial,
}

/// A run that the search needs: these tests in this order, and then the test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What it is.
    pub kind: Kind,
    /// What runs before the test.
    pub before: Vec<TestId>,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing runs before the test.
    Alone,
    /// All of an order runs before it.
    Whole(Order),
    /// A part of it.
    Part,
}

/// What the search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The test fails whatever runs before it.
    Always,
    /// It failed in no run.
    Never,
    /// It fails only after these tests, or, where it fails alone, it passes only after them.
    After {
        /// The tests.
        tests: Vec<TestId>,
        /// Whether the test is red without them.
        is_red_alone: bool,
        /// Whether none of them can be left out, as far as each run tells the truth.
        is_least: bool,
    },
}

impl Isolation {
    /// A search for what makes a test fail. Orders hold what ran before it.
    #[must_use]
    pub fn new(pod: Option<Vec<TestId>>, serial: Option<Vec<TestId>>) -> Self {
        let orders = [(Order::Pod, pod), (Order::Serial, serial)];
        let mut seen = BTreeSet::new();
        let orders = orders
            .into_iter()
            .filter_map(|(order, before)| Some((order, before?)))
            .filter(|(_, before)| !before.is_empty() && seen.insert(before.clone()))
            .collect();
        Self { stage: Stage::Alone, orders, is_red_alone: false, runs: 0 }
    }

    /// The next run; none when there is a finding.
    #[must_use]
    pub fn probe(&self) -> Option<Probe> {
        match &self.stage {
            Stage::Alone => Some(Probe { kind: Kind::Alone, before: vec![] }),
            Stage::InOrder => {
                let (order, before) = self.orders.first()?;
                Some(Probe { kind: Kind::Whole(*order), before: before.clone() })
            }
            Stage::Among(search) => Some(Probe { kind: Kind::Part, before: search.probe()? }),
            Stage::Over(_) => None,
        }
    }

    /// Whether the test was red in the run that was asked for.
    pub fn told(&mut self, is_red: bool) {
        self.runs += 1;
        match &mut self.stage {
            Stage::Alone => {
                self.is_red_alone = is_red;
                self.stage = Stage::InOrder;
            }
            Stage::InOrder if !self.orders.is_empty() => {
                let (_, before) = self.orders.remove(0);
                if is_red != self.is_red_alone {
                    self.stage = Stage::Among(Search::new(before));
                }
            }
            Stage::Among(search) => search.told(is_red != self.is_red_alone),
            Stage::InOrder | Stage::Over(_) => {}
        }
        self.conclude();
    }

    fn conclude(&mut self) {
        let finding = match &self.stage {
            Stage::InOrder if self.orders.is_empty() => match self.is_red_alone {
                true => Finding::Always,
                false => Finding::Never,
            },
            Stage::Among(search) if search.is_over() || self.runs >= LIMIT => Finding::After {
                tests: search.left().to_vec(),
                is_red_alone: self.is_red_alone,
                is_least: search.is_over(),
            },
            _ => return,
        };
        self.stage = Stage::Over(finding);
    }

    /// What the search came to, once it did.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match &self.stage {
            Stage::Over(finding) => Some(finding),
            _ => None,
        }
    }

    /// Runs so far.
    #[must_use]
    pub fn runs(&self) -> u32 {
        self.runs
    }
}

#[cfg(test)]
#[path = "isolation_tests.rs"]
mod tests;
