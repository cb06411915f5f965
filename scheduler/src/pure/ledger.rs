//! The account of every test of a run: who holds it, how often it was granted, how it ended.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::id::{AppLabel, TestId};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::verdict::Verdict;

use super::rules::Rules;

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
    /// What it must have to itself while it runs, by name.
    pub locks: Vec<String>,
    /// Services that not every pod has and that it needs, by name.
    pub needs: Vec<String>,
    /// Tries granted so far.
    pub tries: u32,
    /// Agents lost while it ran.
    pub lost_under: u32,
    /// Further tries it may have.
    pub retries: u32,
    /// Tries that ended red.
    pub failures: u32,
    /// The last try that has a verdict; 0 before the first.
    judged: u32,
    /// The verdict of the last try that ended red.
    red: Option<Verdict>,
    /// How it ended, all tries considered.
    pub verdict: Option<Verdict>,
}

impl Account {
    fn new(app: &AppLabel, module: &str) -> Self {
        Self {
            app: app.clone(),
            module: module.to_owned(),
            locks: Vec::new(),
            needs: Vec::new(),
            tries: 0,
            lost_under: 0,
            retries: 0,
            failures: 0,
            judged: 0,
            red: None,
            verdict: None,
        }
    }

    /// The number of a try in which nothing has come of the test yet.
    #[must_use]
    pub fn unjudged_try(&self) -> u32 {
        self.tries.max(self.judged + 1)
    }

    /// What a verdict of a try makes of the test; none: it is to be tried again.
    ///
    /// A crash is final, so that a second try can never hide it, and an unexpected success is no
    /// failure that could pass by chance. Red is only ever taken back by a pass.
    fn conclude(&mut self, verdict: Verdict) -> Option<Verdict> {
        if verdict.is_red() {
            self.failures += 1;
            self.red = Some(verdict);
        }
        let may_pass = matches!(verdict, Verdict::Failed | Verdict::Error | Verdict::TimedOut);
        match (verdict, self.red) {
            _ if may_pass && self.failures <= self.retries => None,
            (Verdict::Passed, _) | (_, None) => Some(verdict),
            (_, red) => red,
        }
    }
}

impl Ledger {
    /// Opens an account for every test and load error that has none yet.
    pub fn add(&mut self, inventory: &Inventory, rules: &Rules) {
        for class in &inventory.classes {
            let (locks, needs) = (rules.locks(class), rules.needs(class));
            for test in &class.tests {
                let retries = rules.retries(class, test);
                let account = Account::new(&class.app, &class.module);
                self.open_account(
                    &test.id,
                    Account { locks: locks.clone(), needs: needs.clone(), retries, ..account },
                );
            }
        }
        for error in &inventory.errors {
            self.settle_extra(&error.id, &error.app, Verdict::Error);
        }
    }

    fn open_account(&mut self, test: &TestId, account: Account) {
        if let Entry::Vacant(vacant) = self.tests.entry(test.clone()) {
            self.open.entry(account.app.clone()).or_default().insert(test.clone());
            vacant.insert(account);
        }
    }

    /// Counts a red result that is no test of the inventory, such as a failed `setUpClass`.
    pub fn settle_extra(&mut self, id: &TestId, app: &AppLabel, verdict: Verdict) {
        self.open_account(id, Account::new(app, ""));
        self.settle(id, 1, verdict);
    }

    /// Takes the verdict of a try; the first one of each counts.
    pub fn settle(&mut self, test: &TestId, r#try: u32, verdict: Verdict) {
        let Some(account) = self.tests.get_mut(test) else { return };
        if account.verdict.is_some() || r#try <= account.judged {
            return;
        }
        account.judged = r#try;
        let Some(verdict) = account.conclude(verdict) else { return };
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

    /// Every test that is known, in the order of its id.
    pub fn tests(&self) -> impl Iterator<Item = (&TestId, &Account)> {
        self.tests.iter()
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
