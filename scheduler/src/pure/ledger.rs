//! The account of every test of a run: who holds it, how often it was granted, how it ended.

use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::id::{AppLabel, TestId};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::verdict::Verdict;

/// The account of every test of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ledger {
    tests: BTreeMap<TestId, Account>,
    /// Tests without a verdict, by app: what is left to do.
    open: BTreeMap<AppLabel, BTreeSet<TestId>>,
    red: u32,
}

/// The account of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its app.
    pub app: AppLabel,
    /// The module that loads it.
    pub module: String,
    /// Tries granted so far.
    pub tries: u32,
    /// Agents lost while it ran.
    pub lost_under: u32,
    /// How it ended.
    pub verdict: Option<Verdict>,
}

impl Ledger {
    /// Opens an account for every test and load error that has none yet.
    pub fn add(&mut self, inventory: &Inventory) {
        for class in &inventory.classes {
            for test in &class.tests {
                self.open_account(&test.id, &class.app, &class.module);
            }
        }
        for error in &inventory.errors {
            self.open_account(&error.id, &error.app, "");
            self.settle(&error.id, Verdict::Error);
        }
    }

    fn open_account(&mut self, test: &TestId, app: &AppLabel, module: &str) {
        if self.tests.contains_key(test) {
            return;
        }
        let account = Account {
            app: app.clone(),
            module: module.to_owned(),
            tries: 0,
            lost_under: 0,
            verdict: None,
        };
        self.tests.insert(test.clone(), account);
        self.open.entry(app.clone()).or_default().insert(test.clone());
    }

    /// Counts a red result that is no test of the inventory, such as a failed `setUpClass`.
    pub fn settle_extra(&mut self, id: &TestId, app: &AppLabel, verdict: Verdict) {
        self.open_account(id, app, "");
        self.settle(id, verdict);
    }

    /// Gives a test its verdict; the first one stands.
    pub fn settle(&mut self, test: &TestId, verdict: Verdict) {
        let Some(account) = self.tests.get_mut(test) else { return };
        if account.verdict.is_some() {
            return;
        }
        account.verdict = Some(verdict);
        self.red += u32::from(verdict.is_red());
        if let Some(open) = self.open.get_mut(&account.app) {
            open.remove(test);
            if open.is_empty() {
                self.open.remove(&account.app);
            }
        }
    }

    /// Notes that a test was granted as this try.
    pub fn grant(&mut self, test: &TestId, r#try: u32) {
        if let Some(account) = self.tests.get_mut(test) {
            account.tries = account.tries.max(r#try);
        }
    }

    /// Counts that the agent that ran a test was lost.
    pub fn lose(&mut self, test: &TestId) {
        if let Some(account) = self.tests.get_mut(test) {
            account.lost_under += 1;
        }
    }

    /// The account of a test.
    #[must_use]
    pub fn get(&self, test: &TestId) -> Option<&Account> {
        self.tests.get(test)
    }

    /// Apps that have tests without a verdict.
    pub fn open_apps(&self) -> impl Iterator<Item = &AppLabel> {
        self.open.keys()
    }

    /// Tests of an app that have no verdict.
    pub fn open_tests(&self, app: &AppLabel) -> impl Iterator<Item = (&TestId, &Account)> {
        self.open.get(app).into_iter().flatten().filter_map(|test| self.tests.get_key_value(test))
    }

    /// Tests of every app that have no verdict.
    pub fn all_open(&self) -> impl Iterator<Item = (&TestId, &Account)> {
        self.open.values().flatten().filter_map(|test| self.tests.get_key_value(test))
    }

    /// Whether every test has a verdict.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// Number of tests known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// Whether no test is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Number of tests with a verdict.
    #[must_use]
    pub fn settled(&self) -> usize {
        self.tests.len() - self.open.values().map(BTreeSet::len).sum::<usize>()
    }

    /// Number of red verdicts.
    #[must_use]
    pub fn red(&self) -> u32 {
        self.red
    }
}
