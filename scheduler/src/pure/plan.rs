//! The order in which apps start, and the lower bound of a run.
//!
//! Longest processing time first (Graham, "Bounds on multiprocessing timing anomalies", 1969):
//! the app starts first that takes longest however many pods share it, so that no long class is
//! left to run alone at the end.

use std::collections::BTreeMap;

use muletrain_proto::id::AppLabel;
use muletrain_proto::plan::{AppEstimate, Estimates, Plan, PlannedApp};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::App;

/// Orders apps for a number of slots.
#[must_use]
pub fn make<'a>(apps: impl Iterator<Item = &'a App>, estimates: &Estimates, slots: u32) -> Plan {
    let guess = upper_quartile(estimates);
    let longest = longest(estimates);
    let mut planned: Vec<(Seconds, PlannedApp)> = apps
        .map(|app| {
            let known = estimates.apps.get(&app.label).map(AppEstimate::whole);
            let test_files = u32::try_from(app.test_files.len()).unwrap_or(u32::MAX);
            let reason = match (known, guess) {
                (Some(seconds), _) => format!("took {seconds} before"),
                (None, Some(seconds)) => {
                    format!("never ran; taken as {seconds}, the upper quartile of the others")
                }
                (None, None) => format!("no history; {test_files} test files"),
            };
            let longest = longest.get(&app.label).copied();
            let times = estimates.apps.get(&app.label);
            let shared = times.zip(longest).map(|(times, longest)| least(times, longest, slots));
            let rank = shared.or(known).or(guess).unwrap_or_default();
            let planned =
                PlannedApp { app: app.label.clone(), estimate: known, longest, test_files, reason };
            (rank, planned)
        })
        .collect();
    planned.sort_by(|(left_rank, left), (right_rank, right)| {
        right_rank
            .get()
            .total_cmp(&left_rank.get())
            .then_with(|| right.test_files.cmp(&left.test_files))
            .then_with(|| left.app.cmp(&right.app))
    });
    let apps: Vec<PlannedApp> = planned.into_iter().map(|(_, app)| app).collect();
    Plan { lower_bound: lower_bound(&apps, slots), apps, slots }
}

/// The same order, with the lower bound for another number of slots.
#[must_use]
pub fn for_slots(plan: &Plan, slots: u32) -> Plan {
    Plan { lower_bound: lower_bound(&plan.apps, slots), apps: plan.apps.clone(), slots }
}

/// No schedule can be shorter than the longest class with its app's set-up, nor than all work
/// shared evenly.
fn lower_bound(apps: &[PlannedApp], slots: u32) -> Seconds {
    let longest = apps.iter().filter_map(|app| app.longest.or(app.estimate)).map(Seconds::get);
    let all: Seconds = apps.iter().filter_map(|app| app.estimate).sum();
    let shared = all.get() / f64::from(slots.max(1));
    Seconds::new(longest.fold(shared, f64::max)).unwrap_or_default()
}

/// The least time in which an app can be done whose longest class, set-up included, is known: by
/// so many pods that each has more work than set-up.
fn least(times: &AppEstimate, longest: Seconds, slots: u32) -> Seconds {
    let pods = (times.work.get() / times.setup.get().max(1.0)).clamp(1.0, f64::from(slots.max(1)));
    let shared = times.setup.get() + times.work.get() / pods;
    Seconds::new(shared.max(longest.get())).unwrap_or_default()
}

/// What a pod for the longest class of each app takes.
fn longest(estimates: &Estimates) -> BTreeMap<&AppLabel, Seconds> {
    let mut longest: BTreeMap<&AppLabel, Seconds> = BTreeMap::new();
    for class in estimates.classes.values() {
        let setup = estimates.apps.get(&class.app).map(|app| app.setup).unwrap_or_default();
        let class_time = class.per_test.get() * f64::from(class.tests);
        let time = setup + Seconds::new(class_time).unwrap_or_default();
        let known = longest.entry(&class.app).or_default();
        *known = if time > *known { time } else { *known };
    }
    longest
}

/// The estimate that a quarter of all known apps reach or exceed.
fn upper_quartile(estimates: &Estimates) -> Option<Seconds> {
    let mut known: Vec<Seconds> = estimates.apps.values().map(AppEstimate::whole).collect();
    known.sort_by(|left, right| left.get().total_cmp(&right.get()));
    known.get((known.len() * 3 / 4).min(known.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use muletrain_proto::id::{ClassId, SuiteName};
    use muletrain_proto::plan::ClassEstimate;

    use super::*;

    fn app(label: &str, files: usize) -> App {
        App {
            label: AppLabel::new(label).unwrap(),
            module: label.into(),
            path: label.into(),
            test_files: vec![String::new(); files],
            suite: SuiteName::default(),
        }
    }

    fn estimates(pairs: &[(&str, f64)]) -> Estimates {
        let pair = |(label, seconds): &(&str, f64)| {
            let work = Seconds::new(*seconds).unwrap();
            (AppLabel::new(*label).unwrap(), AppEstimate { setup: Seconds::ZERO, work })
        };
        Estimates { apps: pairs.iter().map(pair).collect(), ..Estimates::default() }
    }

    fn order(plan: &Plan) -> Vec<&str> {
        plan.apps.iter().map(|app| app.app.as_str()).collect()
    }

    #[test]
    fn without_history_the_app_with_most_test_files_starts_first() {
        let apps = [app("a", 1), app("b", 9), app("c", 9)];
        let plan = make(apps.iter(), &Estimates::default(), 2);
        assert_eq!(order(&plan), ["b", "c", "a"]);
        assert_eq!(plan.lower_bound, Seconds::ZERO);
    }

    #[test]
    fn with_history_the_longest_starts_first_and_an_unknown_app_ranks_high() {
        let apps = [app("short", 9), app("long", 1), app("new", 1)];
        let plan = make(apps.iter(), &estimates(&[("short", 2.0), ("long", 10.0)]), 4);
        assert_eq!(order(&plan), ["long", "new", "short"]);
        assert_eq!(
            plan.apps[1].reason,
            "never ran; taken as 10 s, the upper quartile of the others"
        );
    }

    #[test]
    fn the_bound_is_the_longest_app_or_the_shared_work() {
        let apps = [app("a", 1), app("b", 1), app("c", 1)];
        let known = estimates(&[("a", 6.0), ("b", 3.0), ("c", 3.0)]);
        assert_eq!(make(apps.iter(), &known, 1).lower_bound.get(), 12.0);
        assert_eq!(make(apps.iter(), &known, 8).lower_bound.get(), 6.0);
    }

    #[test]
    fn where_classes_are_known_the_longest_of_them_bounds_and_not_its_app() {
        let mut known = estimates(&[("a", 6.0), ("b", 3.0)]);
        known.apps.values_mut().for_each(|app| app.setup = Seconds::new(1.0).unwrap());
        let class = ClassEstimate {
            app: AppLabel::new("a").unwrap(),
            tests: 4,
            per_test: Seconds::new(0.5).unwrap(),
        };
        known.classes.insert(ClassId::new("a.tests.T").unwrap(), class);
        let apps = [app("a", 1), app("b", 1)];
        let plan = make(apps.iter(), &known, 8);
        assert_eq!(order(&plan), ["b", "a"], "nobody knows how far b can be shared");
        assert_eq!(plan.apps[1].longest, Seconds::new(3.0).ok());
        assert_eq!(plan.lower_bound.get(), 4.0, "nothing is known of b's classes");
        assert_eq!(for_slots(&plan, 1).lower_bound.get(), 11.0);
    }

    #[test]
    fn an_app_that_pods_can_share_starts_after_one_with_a_longer_class() {
        let mut known = estimates(&[("many", 60.0), ("one", 20.0)]);
        for (app, name, tests, per_test) in [("many", "T", 1, 2.0), ("one", "T", 1, 20.0)] {
            let (app, per_test) = (AppLabel::new(app).unwrap(), Seconds::new(per_test).unwrap());
            let class = ClassId::new(format!("{app}.tests.{name}")).unwrap();
            known.classes.insert(class, ClassEstimate { app, tests, per_test });
        }
        let apps = [app("many", 9), app("one", 1)];
        assert_eq!(order(&make(apps.iter(), &known, 8)), ["one", "many"]);
        assert_eq!(order(&make(apps.iter(), &known, 2)), ["many", "one"]);
    }
}
