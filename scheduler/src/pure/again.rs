//! What a stored run left to be run again, and in which order its tests ran.

use std::collections::BTreeSet;

use muletrain_proto::event::Event;
use muletrain_proto::id::{LeaseId, RunId, TestId};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::journal::Record;
use muletrain_proto::run::Options;
use muletrain_proto::snapshot::Snapshot;
use muletrain_proto::verdict::Verdict;

use super::label;
use super::run::Run;
use super::wanted::failed_module;

/// Modules that are named at most when tests are looked for; with more, all are.
const MODULES: usize = 50;

/// A stored run, ready to be asked.
#[derive(Debug)]
pub struct Past<'a> {
    run: Run,
    records: &'a [Record],
}

/// What of a run is to be run again.
#[derive(Debug, Clone, PartialEq)]
pub enum Left {
    /// Everything went well.
    Nothing,
    /// These tests, or what holds them, from these modules.
    Only(Vec<TestId>, BTreeSet<String>),
    /// All that it was asked for, because it never got to know its tests.
    Everything(Box<Options>),
}

impl<'a> Past<'a> {
    /// Takes a run's records; none where they do not begin with the run.
    #[must_use]
    pub fn new(id: &RunId, records: &'a [Record]) -> Option<Self> {
        let Some(Record::Opened { snapshot, options }) = records.first() else { return None };
        let mut run = Run::new(id.clone(), snapshot.clone(), options.clone(), 0);
        for record in records {
            run.apply(0, record);
        }
        Some(Self { run, records })
    }

    /// What it tested.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.run.snapshot
    }

    /// What was asked of it.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.run.options
    }

    /// What failed, crashed, took too long, or never ran.
    #[must_use]
    pub fn left(&self) -> Left {
        if !self.run.inventory_known() {
            return Left::Everything(self.run.options.clone());
        }
        let is_left = |test: &TestId| {
            let verdict = self.run.ledger.get(test).map(|account| account.verdict);
            verdict.is_some_and(|verdict| {
                verdict.is_none_or(|verdict| verdict.is_red() || verdict == Verdict::NotRun)
            })
        };
        let (mut only, mut modules) = (BTreeSet::new(), BTreeSet::new());
        for inventory in self.inventories() {
            for class in &inventory.classes {
                for test in class.tests.iter().filter(|test| is_left(&test.id)) {
                    only.insert(test.id.clone());
                    modules.insert(class.module.clone());
                }
            }
            for error in &inventory.errors {
                let module = failed_module(&error.id);
                only.extend(TestId::new(module.as_str()));
                modules.insert(module);
            }
        }
        for (holder, module) in self.torn_down_badly() {
            only.insert(holder);
            modules.insert(module);
        }
        match only.is_empty() {
            true => Left::Nothing,
            false => Left::Only(only.into_iter().collect(), modules),
        }
    }

    fn inventories(&self) -> impl Iterator<Item = &Inventory> {
        self.records.iter().filter_map(|record| match record {
            Record::Inventory { inventory, .. } => Some(inventory),
            Record::Observed { event: Event::Planned(planned), .. } => Some(&planned.inventory),
            Record::Observed { event: Event::Found(found), .. } => Some(&found.inventory),
            _ => None,
        })
    }

    /// Classes and modules whose tests ran and whose tear-down failed, and the modules to load.
    fn torn_down_badly(&self) -> Vec<(TestId, String)> {
        let fixtures = self.records.iter().filter_map(|record| match record {
            Record::Observed { event: Event::Fixture(fixture), .. } => Some(fixture),
            _ => None,
        });
        let red = fixtures.filter(|fixture| fixture.verdict.is_red() && fixture.tests.is_empty());
        red.filter_map(|fixture| {
            let (_, holder) = fixture.id.as_str().split_once(" (")?;
            let holder = holder.strip_suffix(')')?;
            let classes = || self.inventories().flat_map(|inventory| &inventory.classes);
            let of_class = classes().find(|class| class.id.as_str() == holder);
            let module = of_class.map_or(holder, |class| class.module.as_str());
            Some((TestId::new(holder).ok()?, module.to_owned()))
        })
        .collect()
    }

    /// The test of a name: its id, or what no other test's id ends with.
    ///
    /// # Errors
    /// Those it may be, none where it is not known at all.
    pub fn test(&self, name: &str) -> Result<TestId, Vec<TestId>> {
        let classes = self.inventories().flat_map(|inventory| &inventory.classes);
        let tests: BTreeSet<&TestId> =
            classes.flat_map(|class| &class.tests).map(|test| &test.id).collect();
        if let Some(test) = tests.iter().find(|test| test.as_str() == name) {
            return Ok((*test).clone());
        }
        let ends = |test: &&&TestId| {
            let before = test.as_str().strip_suffix(name);
            before.is_some_and(|before| before.ends_with(['.', ':']))
        };
        let found: Vec<TestId> = tests.iter().filter(ends).map(|test| (*test).clone()).collect();
        match <[TestId; 1]>::try_from(found) {
            Ok([test]) => Ok(test),
            Err(found) => Err(found),
        }
    }

    /// Whether a try of a test failed in it, in whatever way.
    #[must_use]
    pub fn failed(&self, test: &TestId) -> bool {
        self.failing_lease(test).is_some()
    }

    /// Tests in the order in which they began in the pod in which a test failed first, else in
    /// that in which it ran, up to the test; none where it never ran.
    #[must_use]
    pub fn pod_order(&self, test: &TestId) -> Option<Vec<TestId>> {
        let lease = self
            .failing_lease(test)
            .or_else(|| self.begun().find(|(_, begun)| *begun == test).map(|(lease, _)| lease))?;
        let of_pod = self.begun().filter(|(begun_in, _)| *begun_in == lease);
        let mut order: Vec<TestId> = of_pod.map(|(_, begun)| begun.clone()).collect();
        let end = order.iter().position(|begun| begun == test)? + 1;
        order.truncate(end);
        Some(order)
    }

    /// The tests of its suite in the order of a serial run, up to a test.
    #[must_use]
    pub fn serial_order(&self, test: &TestId) -> Option<Vec<TestId>> {
        let inventories = self.records.iter().filter_map(|record| match record {
            Record::Inventory { inventory, .. } => Some(inventory),
            _ => None,
        });
        inventories.into_iter().find_map(|inventory| {
            let tests = inventory.classes.iter().flat_map(|class| &class.tests);
            let mut order: Vec<TestId> = tests.map(|test| test.id.clone()).collect();
            let end = order.iter().position(|one| one == test)? + 1;
            order.truncate(end);
            Some(order)
        })
    }

    fn begun(&self) -> impl Iterator<Item = (LeaseId, &TestId)> {
        self.records.iter().filter_map(|record| match record {
            Record::Observed { lease, event: Event::Started { test, .. }, .. } => {
                Some((*lease, test))
            }
            _ => None,
        })
    }

    fn failing_lease(&self, test: &TestId) -> Option<LeaseId> {
        self.records.iter().find_map(|record| match record {
            Record::Observed { lease, event: Event::Finished(finished), .. }
                if finished.test == *test && finished.verdict.is_red() =>
            {
                Some(*lease)
            }
            Record::Observed { lease, event: Event::TimedOut(timed_out), .. }
                if timed_out.test == *test =>
            {
                Some(*lease)
            }
            Record::Settled { test: settled, verdict, lease, .. }
                if settled == test && verdict.is_red() =>
            {
                *lease
            }
            _ => None,
        })
    }

    /// The modules that load some tests, as labels for their runner.
    #[must_use]
    pub fn modules(&self, tests: &[TestId]) -> BTreeSet<String> {
        let tests: BTreeSet<&TestId> = tests.iter().collect();
        let classes = self.inventories().flat_map(|inventory| &inventory.classes);
        let holds = |class: &&muletrain_proto::inventory::Class| {
            class.tests.iter().any(|test| tests.contains(&test.id))
        };
        classes.filter(holds).map(|class| class.module.clone()).collect()
    }

    /// The verdict on a test, all tries considered.
    #[must_use]
    pub fn verdict(&self, test: &TestId) -> Option<Verdict> {
        self.run.ledger.get(test)?.verdict
    }
}

/// Labels by which the tests of some modules are found in another snapshot: none, which means
/// everything, where the modules are many or gone.
#[must_use]
pub fn labels(modules: &BTreeSet<String>, snapshot: &Snapshot) -> Vec<String> {
    let is_there = |module: &&String| !module.is_empty() && label::is_known(module, snapshot);
    match modules.len() <= MODULES {
        true => modules.iter().filter(is_there).cloned().collect(),
        false => Vec::new(),
    }
}
