//! What a run needs most at the moment: the work of its next lease.

use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::id::{AppLabel, SuiteName, TestId};
use muletrain_proto::lease::{Grant, GrantedTest, Work};

use super::ledger::Account;
use super::run::{AppState, Run};

/// Names of what tests may have to themselves, where somebody has it.
pub(super) type Taken<'a> = BTreeSet<&'a str>;

/// Its inventory, then its apps in the plan's order, then what else there turned out to be, the
/// largest first.
pub(super) fn next(run: &Run, taken: &Taken<'_>) -> Option<(Work, Option<Grant>)> {
    if let Some(suite) = run.uncollected() {
        return Some((Work::Collect { labels: collect_labels(run, &suite.name) }, None));
    }
    if run.inventory_known() && run.ledger.is_settled() && run.leases.is_empty() {
        return Some((run.around.combination(&run.options)?, None));
    }
    if run.options.ordered {
        return in_order(run, taken);
    }
    let live = run.live_apps();
    let is_idle = |app: &&AppLabel| !live.contains(app);
    let mut unplanned: Vec<&AppLabel> = run.ledger.open_apps().filter(is_idle).collect();
    unplanned.sort_by_key(|app| std::cmp::Reverse(run.ledger.open_tests(app).count()));
    let planned = run.plan.apps.iter().map(|planned| &planned.app).filter(is_idle);
    planned.chain(unplanned).find_map(|app| of_app(run, app, taken))
}

/// What the runner of a suite is asked for; where one label needs everything, nothing is named.
fn collect_labels(run: &Run, suite: &SuiteName) -> Vec<String> {
    let targets = run.targets_in(suite);
    match targets.iter().any(|target| target.dotted.is_empty()) {
        true => Vec::new(),
        false => targets.iter().map(|target| target.dotted.clone()).collect(),
    }
}

fn of_app(run: &Run, app: &AppLabel, taken: &Taken<'_>) -> Option<(Work, Option<Grant>)> {
    let known = AppState::default();
    let state = run.apps.get(app).unwrap_or(&known);
    if state.broken.is_some() {
        return None;
    }
    let suite = run.snapshot.suite_of(app)?;
    if run.collected.contains(&suite.name) || state.opened {
        return named_tests(run, app, taken);
    }
    // Before the inventory is there, only a whole app can be begun, and only where all is wanted
    // and nothing has to be kept apart.
    let known = run.snapshot.apps.iter().find(|known| known.label == *app)?;
    let label = suite.adapter.label_of(&known.module, &known.path);
    let options = &run.options;
    let has_scarce = run.snapshot.services.iter().any(|service| !service.only.is_empty());
    let is_plain = options.only.is_empty() && options.serial.is_empty() && !has_scarce;
    let is_wanted = options.selection_of(&suite.name).is_everything() && !label.is_empty();
    (is_plain && is_wanted).then(|| {
        let work = Work::Run { app: app.clone(), labels: vec![label], tests: None };
        (work, Some(Grant { number: 1, tests: None, last: true, ordered: false }))
    })
}

/// Open tests of an app that can run together now. Those that failed wait for the others, so that
/// they are tried again in a pod in which nothing else failed.
fn named_tests(run: &Run, app: &AppLabel, taken: &Taken<'_>) -> Option<(Work, Option<Grant>)> {
    let (again, fresh): (Vec<_>, Vec<_>) =
        run.ledger.open_tests(app).partition(|(_, account)| account.failures > 0);
    let tests = [fresh, again].into_iter().find_map(|tests| together(tests, taken))?;
    Some(grant(app, &tests, false))
}

/// Tests that need the same to themselves and the same services, and can have it: scarce things first, because whoever
/// waits for them adds to the end of the run.
fn together<'a>(
    tests: Vec<(&'a TestId, &'a Account)>,
    taken: &Taken<'_>,
) -> Option<Vec<(&'a TestId, &'a Account)>> {
    let mut groups: BTreeMap<(&[String], &[String]), Vec<_>> = BTreeMap::new();
    for (test, account) in tests {
        groups.entry((&account.locks, &account.needs)).or_default().push((test, account));
    }
    let is_free = |locks: &[String]| !locks.iter().any(|lock| taken.contains(lock.as_str()));
    let mut free = groups.into_iter().rev().filter(|((locks, _), _)| is_free(locks));
    free.next().map(|(_, tests)| tests)
}

/// Names of the services that the pod of some work does without.
pub(super) fn without(run: &Run, work: &Work) -> Vec<String> {
    let needed = match work {
        Work::Run { tests, .. } => {
            let named = tests.iter().flatten().filter_map(|test| run.ledger.get(test));
            named.flat_map(|account| &account.needs).collect()
        }
        // Neither runs any test.
        Work::Collect { .. } | Work::Combine { .. } => BTreeSet::new(),
    };
    run.rules.without(&needed)
}

/// All that is left, in one pod and in the order that was asked for.
fn in_order(run: &Run, taken: &Taken<'_>) -> Option<(Work, Option<Grant>)> {
    if !run.inventory_known() || !run.leases.is_empty() {
        return None;
    }
    let named = run.options.only.iter().filter_map(|test| Some((test, run.ledger.get(test)?)));
    let open: Vec<_> = named.filter(|(_, account)| account.verdict.is_none()).collect();
    let is_free = |lock: &String| !taken.contains(lock.as_str());
    let can_run = open.iter().all(|(_, account)| account.locks.iter().all(is_free));
    let (_, last) = open.last().filter(|_| can_run)?;
    Some(grant(&last.app, &open, true))
}

fn grant(app: &AppLabel, tests: &[(&TestId, &Account)], ordered: bool) -> (Work, Option<Grant>) {
    let modules: BTreeSet<&String> = tests.iter().map(|(_, account)| &account.module).collect();
    let labels = modules.into_iter().cloned().collect();
    let granted = tests
        .iter()
        .map(|(test, account)| GrantedTest { id: (*test).clone(), r#try: account.tries + 1 })
        .collect();
    let named = tests.iter().map(|(test, _)| (*test).clone()).collect();
    let work = Work::Run { app: app.clone(), labels, tests: Some(named) };
    (work, Some(Grant { number: 1, tests: Some(granted), last: true, ordered }))
}
