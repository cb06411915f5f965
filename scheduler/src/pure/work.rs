//! What a run needs most at the moment: the work of its next lease.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::id::{AppLabel, LeaseId, SuiteName, TestId};
use muletrain_proto::lease::{Grant, GrantedTest, Work};

use super::cost::Micros;
use super::ledger::{Account, Free};
use super::pool::Pool;
use super::run::{AppState, Held, Run};

/// What a pod costs at least, whatever was measured: what takes it down is not.
const LEAST_SETUP: Micros = 1_000_000;

/// Names of what tests may have to themselves, where somebody has it.
pub(super) type Taken<'a> = BTreeSet<&'a str>;

/// Its inventory, then its apps in the plan's order, then what else there turned out to be, the
/// largest first; then a further pod where one pays.
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
    let left = |free: &Free| free.pools.values().map(|pool| pool.work(run.pace.test())).sum();
    let unplanned = run.ledger.free_apps().filter(|(app, _)| is_idle(app));
    let mut unplanned: Vec<(&AppLabel, Micros)> =
        unplanned.map(|(app, free)| (app, left(free))).collect();
    unplanned.sort_by_key(|(_, work)| Reverse(*work));
    let planned = run.plan.apps.iter().map(|planned| &planned.app).filter(is_idle);
    let idle = planned.chain(unplanned.into_iter().map(|(app, _)| app));
    let mut idle = idle.filter_map(|app| of_app(run, app, taken));
    idle.next().or_else(|| of_live_app(run, taken)).or_else(|| share(run))
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
        let free = run.ledger.free(app)?;
        let open = locked(run, app, free, taken).or_else(|| pooled(run, app, free));
        return open.or_else(|| again(run, app, free, taken));
    }
    // Before the inventory is there, only a whole app can be begun, and only where all is wanted
    // and nothing has to be kept apart.
    let known = run.snapshot.apps.iter().find(|known| known.label == *app)?;
    let label = suite.adapter.label_of(&known.module, &known.path);
    let options = &run.options;
    let has_scarce = run.snapshot.services.iter().any(|service| !service.only.is_empty());
    let is_plain = options.only.is_empty() && options.serial.is_empty() && !has_scarce;
    let is_wanted = options.selection_of(&suite.name).is_everything() && !label.is_empty();
    (is_plain && is_wanted)
        .then(|| (Work::Run { app: app.clone(), labels: vec![label], tests: None }, None))
}

/// Tests of an app that need the same to themselves, and can have it: scarce things first, because
/// whoever waits for them adds to the end of the run.
fn locked(
    run: &Run,
    app: &AppLabel,
    free: &Free,
    taken: &Taken<'_>,
) -> Option<(Work, Option<Grant>)> {
    let tests = together(accounts(run, &free.locked), taken)?;
    Some(grant(app, &tests, false))
}

/// Tests that failed, in a pod in which nothing else failed.
fn again(
    run: &Run,
    app: &AppLabel,
    free: &Free,
    taken: &Taken<'_>,
) -> Option<(Work, Option<Grant>)> {
    let tests = together(accounts(run, &free.again), taken)?;
    Some(grant(app, &tests, false))
}

/// A pod for what any pod of an app may be granted, that needs the most services.
fn pooled(run: &Run, app: &AppLabel, free: &Free) -> Option<(Work, Option<Grant>)> {
    free.pools.values().next_back().map(|pool| pod_for(run, app, pool))
}

fn pod_for(run: &Run, app: &AppLabel, pool: &Pool) -> (Work, Option<Grant>) {
    let (work, whole) = grant(app, &accounts(run, pool.tests()), false);
    // The seed of a shuffled order is worth nothing where what a pod runs is left to chance.
    (work, whole.filter(|_| run.options.shuffle.is_some()))
}

/// What cannot go to the pods that an app has.
fn of_live_app(run: &Run, taken: &Taken<'_>) -> Option<(Work, Option<Grant>)> {
    let mut apps = run.ledger.free_apps().filter(|(app, _)| is_sound(run, app));
    apps.find_map(|(app, free)| {
        let unserved =
            || free.pools.iter().rfind(|(needs, _)| pods(run, app, needs).next().is_none());
        let pooled = || unserved().map(|(_, pool)| pod_for(run, app, pool));
        locked(run, app, free, taken).or_else(pooled)
    })
}

/// A further pod for the app with the most work left for each pod it has, if one pays.
///
/// A pod that is one of `p + 1` spares `work / p - (work + setup) / (p + 1)`, which is more than
/// nothing where `work > p * setup`.
fn share(run: &Run) -> Option<(Work, Option<Grant>)> {
    if run.options.shuffle.is_some() {
        return None;
    }
    let mut best: Option<(Micros, &AppLabel, &Pool)> = None;
    let is_shared = |app: &AppLabel| {
        run.apps.get(app).is_none_or(|state| state.broken.is_none() && !state.unshared)
    };
    for (app, free) in run.ledger.free_apps().filter(|(app, _)| is_shared(app)) {
        for (needs, pool) in &free.pools {
            let pods = pods(run, app, needs).count().max(1) as u64;
            let work = pool.work(run.pace.test());
            let pays = setup(run, app).is_some_and(|setup| work > pods.saturating_mul(setup));
            let share = work / pods;
            if pays && best.is_none_or(|(most, _, _)| share > most) {
                best = Some((share, app, pool));
            }
        }
    }
    best.map(|(_, app, pool)| pod_for(run, app, pool))
}

/// What a pod of an app takes before its first test; none where nothing is known of any. Past runs
/// may have had another isolation or runtime, so what this one shows goes first.
pub(super) fn setup(run: &Run, app: &AppLabel) -> Option<Micros> {
    let known = run.pace.setup().or(run.costs.setup(app));
    known.map(|setup| setup.max(LEAST_SETUP))
}

fn is_sound(run: &Run, app: &AppLabel) -> bool {
    run.apps.get(app).is_none_or(|state| state.broken.is_none())
}

/// Pods of an app that take what any of its pods may be granted, and have these services; the
/// first one first.
pub(super) fn pods(run: &Run, app: &AppLabel, needs: &[String]) -> impl Iterator<Item = LeaseId> {
    let takes = |held: &Held| held.lease.work.app() == Some(app) && held.takes(needs, &run.rules);
    run.leases.iter().filter(move |(_, held)| takes(held)).map(|(lease, _)| *lease)
}

fn accounts<'a>(
    run: &'a Run,
    tests: impl IntoIterator<Item = &'a TestId>,
) -> Vec<(&'a TestId, &'a Account)> {
    let account = |test| run.ledger.get(test).map(|account| (test, account));
    tests.into_iter().filter_map(account).collect()
}

/// Tests that need the same to themselves and the same services, and can have it.
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
            named.flat_map(|account| account.needs.iter()).collect()
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
