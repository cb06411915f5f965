//! The order in which apps start, and the lower bound of a run.
//!
//! Longest processing time first (Graham, "Bounds on multiprocessing timing anomalies", 1969):
//! the largest app starts first, so that none is left to run alone at the end.

use std::collections::BTreeMap;

use muletrain_proto::id::AppLabel;
use muletrain_proto::plan::{Plan, PlannedApp};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::App;

/// What past runs say an app's pod takes, set-up included.
pub type Estimates = BTreeMap<AppLabel, Seconds>;

/// Orders apps for a number of slots.
#[must_use]
pub fn make<'a>(apps: impl Iterator<Item = &'a App>, estimates: &Estimates, slots: u32) -> Plan {
    let guess = upper_quartile(estimates);
    let mut planned: Vec<(Seconds, PlannedApp)> = apps
        .map(|app| {
            let known = estimates.get(&app.label).copied();
            let test_files = u32::try_from(app.test_files.len()).unwrap_or(u32::MAX);
            let reason = match (known, guess) {
                (Some(seconds), _) => format!("took {seconds} before"),
                (None, Some(seconds)) => {
                    format!("never ran; taken as {seconds}, the upper quartile of the others")
                }
                (None, None) => format!("no history; {test_files} test files"),
            };
            let rank = known.or(guess).unwrap_or_default();
            let planned =
                PlannedApp { app: app.label.clone(), estimate: known, test_files, reason };
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

/// No schedule can be shorter than the longest app, nor than all work shared evenly.
fn lower_bound(apps: &[PlannedApp], slots: u32) -> Seconds {
    let known = || apps.iter().filter_map(|app| app.estimate).map(Seconds::get);
    let longest = known().fold(0.0, f64::max);
    let shared = known().sum::<f64>() / f64::from(slots.max(1));
    Seconds::new(longest.max(shared)).unwrap_or_default()
}

/// The estimate that a quarter of all known apps reach or exceed.
fn upper_quartile(estimates: &Estimates) -> Option<Seconds> {
    let mut known: Vec<Seconds> = estimates.values().copied().collect();
    known.sort_by(|left, right| left.get().total_cmp(&right.get()));
    known.get((known.len() * 3 / 4).min(known.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use muletrain_proto::id::SuiteName;

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
            (AppLabel::new(*label).unwrap(), Seconds::new(*seconds).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn order(plan: &Plan) -> Vec<&str> {
        plan.apps.iter().map(|app| app.app.as_str()).collect()
    }

    #[test]
    fn without_history_the_app_with_most_test_files_starts_first() {
        let apps = [app("a", 1), app("b", 9), app("c", 9)];
        let plan = make(apps.iter(), &Estimates::new(), 2);
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
}
