//! The account of every test of a run: who holds it, how often it was granted, how it ended.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use muletrain_proto::id::{AppLabel, LeaseId, TestId};
use muletrain_proto::inventory::{Class, Inventory};
use muletrain_proto::verdict::Verdict;

use super::cost::{Costs, Micros};
use super::pool::Pool;
use super::rules::Rules;

/// The account of every test of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ledger {
    tests: BTreeMap<TestId, Account>,
    /// Tests without a verdict, by app: what is left to do.
    open: BTreeMap<AppLabel, BTreeSet<TestId>>,
    /// Of those, what no lease holds.
    free: BTreeMap<AppLabel, Free>,
    /// And what leases hold.
    held: BTreeMap<LeaseId, BTreeSet<TestId>>,
    red: u32,
}

/// Tests of an app that no lease holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Free {
    /// Those that any pod may be granted that has the services they need, by those.
    pub pools: BTreeMap<Arc<[String]>, Pool>,
    /// Those that must have something to themselves.
    pub locked: BTreeSet<TestId>,
    /// Those that failed and have another try.
    pub again: BTreeSet<TestId>,
}

/// The account of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its app.
    pub app: AppLabel,
    /// The module that loads it.
    pub module: String,
    /// What is granted as a whole: its class, or its module.
    pub job: Arc<str>,
    /// Django's order: lower first.
    pub phase: u32,
    /// The place of its class in a serial run.
    pub place: usize,
    /// What it is expected to take; none: nothing is known.
    pub cost: Option<Micros>,
    /// What it must have to itself while it runs, by name.
    pub locks: Arc<[String]>,
    /// Services that not every pod has and that it needs, by name.
    pub needs: Arc<[String]>,
    /// Tries granted so far.
    pub tries: u32,
    /// Agents lost while it ran.
    pub lost_under: u32,
    /// The lease that is to give its verdict.
    pub holder: Option<LeaseId>,
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
    /// Of a test of which nothing has come yet.
    #[must_use]
    pub fn new(app: &AppLabel, module: &str) -> Self {
        Self {
            app: app.clone(),
            module: module.to_owned(),
            job: module.into(),
            phase: 0,
            place: 0,
            cost: None,
            locks: Arc::default(),
            needs: Arc::default(),
            tries: 0,
            lost_under: 0,
            holder: None,
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

impl Free {
    fn insert(&mut self, test: &TestId, account: &Account) {
        if account.failures > 0 {
            self.again.insert(test.clone());
        } else if account.locks.is_empty() {
            self.pools.entry(Arc::clone(&account.needs)).or_default().insert(test, account);
        } else {
            self.locked.insert(test.clone());
        }
    }

    fn remove(&mut self, test: &TestId, account: &Account) {
        self.again.remove(test);
        self.locked.remove(test);
        if let Some(pool) = self.pools.get_mut(&account.needs) {
            pool.remove(test, account);
            if pool.is_empty() {
                self.pools.remove(&account.needs);
            }
        }
    }

    /// Whether nothing is left in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pools.is_empty() && self.locked.is_empty() && self.again.is_empty()
    }
}

impl Ledger {
    /// Opens an account for every test and load error that has none yet.
    pub fn add(&mut self, inventory: &Inventory, rules: &Rules, costs: &Costs) {
        for (place, class) in inventory.classes.iter().enumerate() {
            let of_class = Account {
                job: job(class),
                phase: class.phase,
                place,
                cost: costs.per_test(class),
                locks: rules.locks(class).into(),
                needs: rules.needs(class).into(),
                ..Account::new(&class.app, &class.module)
            };
            for test in &class.tests {
                let retries = rules.retries(class, test);
                self.open_account(&test.id, Account { retries, ..of_class.clone() });
            }
        }
        for error in &inventory.errors {
            self.settle_extra(&error.id, &error.app, Verdict::Error);
        }
    }

    fn open_account(&mut self, test: &TestId, account: Account) {
        if let Entry::Vacant(vacant) = self.tests.entry(test.clone()) {
            self.open.entry(account.app.clone()).or_default().insert(test.clone());
            self.free.entry(account.app.clone()).or_default().insert(test, &account);
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
        let conclusion = account.conclude(verdict);
        account.verdict = conclusion;
        let account = account.clone();
        self.let_go(test, &account);
        match conclusion {
            Some(verdict) => {
                self.red += u32::from(verdict.is_red());
                remove(&mut self.open, &account.app, test);
            }
            None => self.free.entry(account.app.clone()).or_default().insert(test, &account),
        }
    }

    /// Takes a test from wherever it is.
    fn let_go(&mut self, test: &TestId, account: &Account) {
        if let Some(free) = self.free.get_mut(&account.app) {
            free.remove(test, account);
            if free.is_empty() {
                self.free.remove(&account.app);
            }
        }
        if let Some(lease) = account.holder {
            remove(&mut self.held, &lease, test);
        }
        if let Some(account) = self.tests.get_mut(test) {
            account.holder = None;
        }
    }

    /// Notes that a lease was granted a test as this try.
    pub fn grant(&mut self, test: &TestId, r#try: u32, lease: LeaseId) {
        let Some(account) = self.tests.get_mut(test) else { return };
        account.tries = account.tries.max(r#try);
        if account.verdict.is_some() {
            return;
        }
        let account = account.clone();
        self.let_go(test, &account);
        self.held.entry(lease).or_default().insert(test.clone());
        if let Some(account) = self.tests.get_mut(test) {
            account.holder = Some(lease);
        }
    }

    /// Notes that a lease is over: what it holds is free again.
    pub fn release(&mut self, lease: LeaseId) {
        for test in self.held.remove(&lease).unwrap_or_default() {
            let Some(account) = self.tests.get_mut(&test) else { continue };
            account.holder = None;
            let account = account.clone();
            self.free.entry(account.app.clone()).or_default().insert(&test, &account);
        }
    }

    /// Tests that a lease was granted and that have no verdict.
    #[must_use]
    pub fn held(&self, lease: LeaseId) -> Option<&BTreeSet<TestId>> {
        self.held.get(&lease)
    }

    /// Tests of an app that no lease holds.
    #[must_use]
    pub fn free(&self, app: &AppLabel) -> Option<&Free> {
        self.free.get(app)
    }

    /// Apps that have tests that no lease holds.
    pub fn free_apps(&self) -> impl Iterator<Item = (&AppLabel, &Free)> {
        self.free.iter()
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

/// What is granted as a whole.
fn job(class: &Class) -> Arc<str> {
    match class.whole_module {
        // A serial run divides a module by phase too.
        true => format!("{} {}", class.module, class.phase).into(),
        false => class.id.as_str().into(),
    }
}

/// Takes a test out of one of some sets, none of which stays empty.
fn remove<K: Ord>(sets: &mut BTreeMap<K, BTreeSet<TestId>>, key: &K, test: &TestId) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(test);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}
