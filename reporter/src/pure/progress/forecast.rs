//! How long a run will still take: from what past runs say of its apps, and from what is done.

use std::collections::BTreeMap;

use muletrain_proto::id::AppLabel;
use muletrain_proto::journal::Record;
use muletrain_proto::plan::Plan;
use muletrain_proto::seconds::Seconds;

use crate::pure::fold::Fold;
use crate::pure::lease::LeaseState;
use crate::pure::summary::{Moment, between};

/// Tests that have to be told before their pace says anything.
const ENOUGH: usize = 5;

/// Bounds of how much slower or faster than the past a run is taken to be.
const PACE: (f64, f64) = (0.25, 4.0);

/// Share of its estimate that an app which takes longer is taken to need still.
const REST: f64 = 0.1;

/// What is expected of a run.
#[derive(Debug, Clone, Default)]
pub struct Forecast {
    plan: Plan,
}

/// What is known of an app.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    estimate: Option<f64>,
    /// Of its longest class alone, where slots share its classes.
    longest: Option<f64>,
    known: usize,
    told: usize,
    /// Leases that are open, and the time of all.
    open: usize,
    spent: f64,
}

impl Forecast {
    /// Takes a record of the journal; whether it was the first plan for any slots.
    pub fn take(&mut self, record: &Record) -> bool {
        let Record::Planned { plan } = record else { return false };
        let first = self.plan.slots == 0 && plan.slots > 0;
        self.plan = plan.clone();
        first
    }

    /// The plan that holds.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How long it will still take; none where nobody can tell yet, or it is stopping.
    #[must_use]
    pub fn left(&self, fold: &Fold, now: Moment) -> Option<Seconds> {
        if fold.stop.is_some() || fold.closed {
            return None;
        }
        let accounts = self.accounts(fold, now);
        if accounts.is_empty() {
            return None;
        }
        let (pace, per_test) = (pace(&accounts), per_test(fold, &accounts));
        let guess = upper_quartile(&accounts);
        let rest = |account: &Account| account.rest(guess, pace, per_test);
        let rests: Option<Vec<(Account, f64)>> =
            self.in_order(&accounts).map(|account| Some((*account, rest(account)?))).collect();
        let slots = usize::try_from(self.plan.slots).unwrap_or_default().max(1);
        let is_shared = accounts.values().all(|account| account.longest.is_some());
        Seconds::new(match is_shared {
            true => shared(&rests?, slots),
            false => one_by_one(&rests?, slots),
        })
        .ok()
    }

    fn accounts(&self, fold: &Fold, now: Moment) -> BTreeMap<AppLabel, Account> {
        let mut accounts = BTreeMap::<AppLabel, Account>::new();
        for planned in &self.plan.apps {
            let [estimate, longest] =
                [planned.estimate, planned.longest].map(|time| time.map(Seconds::get));
            let account = Account { estimate, longest, ..Account::default() };
            accounts.insert(planned.app.clone(), account);
        }
        for (app, tally) in super::tallies(fold) {
            let account = accounts.entry(app.clone()).or_default();
            (account.known, account.told) = (tally.known, tally.told);
        }
        for lease in fold.leases.values() {
            let Some(app) = &lease.app else { continue };
            let account = accounts.entry(app.clone()).or_default();
            account.open += usize::from(lease.is_open());
            account.spent += spent(lease, now);
        }
        accounts
    }

    /// Accounts as they are planned, and then those that no plan names.
    fn in_order<'a>(
        &'a self,
        accounts: &'a BTreeMap<AppLabel, Account>,
    ) -> impl Iterator<Item = &'a Account> {
        let planned = self.plan.apps.iter().filter_map(|planned| accounts.get(&planned.app));
        let is_planned = |app: &AppLabel| self.plan.apps.iter().any(|one| one.app == *app);
        planned.chain(accounts.iter().filter(move |(app, _)| !is_planned(app)).map(|(_, it)| it))
    }
}

impl Account {
    fn is_over(&self) -> bool {
        self.open == 0 && self.known > 0 && self.told >= self.known
    }

    /// What is left of it; none where nobody can tell.
    fn rest(&self, guess: Option<f64>, pace: f64, per_test: Option<f64>) -> Option<f64> {
        if self.is_over() || (self.open == 0 && self.known == 0 && self.spent > 0.0) {
            return Some(0.0);
        }
        #[expect(clippy::cast_precision_loss, reason = "a share of few millions")]
        let (told, known) = (self.told as f64, self.known as f64);
        let Some(estimate) = self.estimate.or(guess) else {
            return per_test.map(|time| time * (known - told).max(0.0));
        };
        let whole = estimate * pace;
        Some(match told > 0.0 {
            true => whole * (1.0 - told / known).max(0.0),
            false => (whole - self.spent).max(whole * REST),
        })
    }
}

/// All work shared evenly, or the longest class that may be left.
fn shared(rests: &[(Account, f64)], slots: usize) -> f64 {
    let all: f64 = rests.iter().map(|(_, rest)| rest).sum();
    let longest = rests.iter().map(|(account, rest)| rest.min(account.longest.unwrap_or(*rest)));
    #[expect(clippy::cast_precision_loss, reason = "there are few slots")]
    longest.fold(all / slots as f64, f64::max)
}

/// Apps that run have their slots already; the others follow as they are planned, each in one.
fn one_by_one(rests: &[(Account, f64)], slots: usize) -> f64 {
    let mut loads: Vec<f64> = Vec::new();
    for (account, rest) in rests.iter().filter(|(account, _)| account.open > 0) {
        #[expect(clippy::cast_precision_loss, reason = "there are few pods")]
        loads.extend(std::iter::repeat_n(rest / account.open as f64, account.open));
    }
    loads.resize(loads.len().max(slots), 0.0);
    for (_, rest) in rests.iter().filter(|(account, _)| account.open == 0) {
        if let Some(least) = loads.iter_mut().min_by(|one, other| one.total_cmp(other)) {
            *least += rest;
        }
    }
    loads.into_iter().fold(0.0, f64::max)
}

/// The time that a lease has had a slot.
fn spent(lease: &LeaseState, now: Moment) -> f64 {
    between(lease.leased, lease.ended.unwrap_or(now)).get()
}

/// How much longer apps took that are over than they were expected to.
fn pace(accounts: &BTreeMap<AppLabel, Account>) -> f64 {
    let over = accounts.values().filter(|account| account.is_over());
    let known = over.filter_map(|account| Some((account.estimate?, account.spent)));
    let (expected, spent) = known.fold((0.0, 0.0), |(expected, spent), (estimate, time)| {
        (expected + estimate, spent + time)
    });
    if expected > 0.0 { (spent / expected).clamp(PACE.0, PACE.1) } else { 1.0 }
}

/// The time of a test, set-up included, where nothing is known of the past.
fn per_test(fold: &Fold, accounts: &BTreeMap<AppLabel, Account>) -> Option<f64> {
    let told: usize = accounts.values().map(|account| account.told).sum();
    let spent: f64 = accounts.values().map(|account| account.spent).sum();
    #[expect(clippy::cast_precision_loss, reason = "a share of few millions")]
    (fold.collected && told >= ENOUGH).then(|| spent / told as f64)
}

/// What an app is taken to need that never ran, as the plan takes it.
fn upper_quartile(accounts: &BTreeMap<AppLabel, Account>) -> Option<f64> {
    let mut known: Vec<f64> = accounts.values().filter_map(|account| account.estimate).collect();
    known.sort_by(f64::total_cmp);
    known.get((known.len() * 3 / 4).min(known.len().checked_sub(1)?)).copied()
}

/// Such as `about 1:20 left`, no more exact than it can be.
#[must_use]
pub fn in_words(left: Seconds) -> String {
    let rounded = |step: f64| Seconds::new((left.get() / step).ceil() * step).unwrap_or(left);
    match left.get() {
        ..10.0 => "a few seconds left".to_owned(),
        ..60.0 => format!("about {} left", rounded(5.0)),
        ..600.0 => format!("about {} left", rounded(10.0)),
        _ => format!("about {} left", rounded(60.0)),
    }
}
