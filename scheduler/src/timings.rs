//! How long apps and their classes took, as a run's journal tells it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use muletrain_proto::event::Event;
use muletrain_proto::id::{AppLabel, ClassId, LeaseId, TestId};
use muletrain_proto::journal::{Entry, Record};
use muletrain_proto::outcome::Ending;
use muletrain_proto::plan::{AppEstimate, ClassEstimate, Estimates};
use muletrain_proto::seconds::Seconds;

use crate::journal::Journal;

/// Reads a stored journal; one that cannot be read teaches nothing.
#[must_use]
pub(crate) fn read(path: &Path) -> Times {
    match Journal::resume(path) {
        // What a part of an app took says nothing of the whole.
        Ok((_, _, entries)) if !is_whole(&entries) => Times::default(),
        Ok((_, _, entries)) => Times {
            estimates: Estimates { apps: apps(&entries), classes: classes(&entries) },
            boot: boot(&entries),
        },
        Err(error) => {
            tracing::warn!("{}", muletrain_proto::cli::chain(&error));
            Times::default()
        }
    }
}

/// What a run teaches.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// How long its apps and their classes took.
    pub(crate) estimates: Estimates,
    /// How long a pod took until Django was loaded; none where no pod was started.
    pub(crate) boot: Option<Seconds>,
}

/// Whether a run was asked for whole apps.
fn is_whole(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| match &entry.record {
        Record::Opened { snapshot, options } => {
            let is_app = |label: &str| {
                let mut apps = snapshot.apps.iter();
                apps.any(|app| app.label.as_str() == label || app.module == label)
            };
            let mut suites = snapshot.suites.iter();
            options.only.is_empty()
                && suites.all(|suite| options.selection_of(&suite.name).is_everything())
                && options.all_labels().all(is_app)
        }
        _ => false,
    })
}

/// The median over all pods that were started; one that was there already teaches nothing.
fn boot(entries: &[Entry]) -> Option<Seconds> {
    let mut started = BTreeMap::new();
    let mut times = Vec::new();
    for Entry { record, .. } in entries {
        match record {
            Record::Observed { lease, event: Event::PodStarted(pod), .. } if !pod.reused => {
                started.insert(*lease, pod.seconds);
            }
            Record::Observed { lease, event: Event::Booted(booted), .. } => {
                times.extend(started.remove(lease).map(|pod| pod + booted.seconds));
            }
            _ => {}
        }
    }
    median(times)
}

fn median(mut times: Vec<Seconds>) -> Option<Seconds> {
    times.sort_by(|one, other| one.get().total_cmp(&other.get()));
    times.get(times.len() / 2).copied()
}

/// A lease that is not over.
struct Open {
    app: AppLabel,
    since: u64,
    ready: Option<u64>,
}

/// What the pods of an app took, without what they waited for databases that are set up once for
/// all; only of apps whose every lease closed well, because the others took another time than
/// they will.
fn apps(entries: &[Entry]) -> BTreeMap<AppLabel, AppEstimate> {
    let mut open: BTreeMap<LeaseId, Open> = BTreeMap::new();
    let mut times: BTreeMap<AppLabel, (Vec<Seconds>, Seconds)> = BTreeMap::new();
    let mut spoilt = Vec::new();
    for Entry { at, record, .. } in entries {
        match record {
            Record::Leased { lease, .. } => {
                if let Some(app) = lease.work.app().cloned() {
                    open.insert(lease.key.lease, Open { app, since: *at, ready: None });
                }
            }
            Record::Observed { lease, event, .. } => {
                let Some(known) = open.get_mut(lease) else { continue };
                match event {
                    Event::Warming(_) => known.since = *at,
                    Event::Ready(_) => known.ready = Some(*at),
                    Event::Ended(ending) => {
                        let Open { app, since, ready } = open.remove(lease).expect("found above");
                        let ready = ready.unwrap_or(since);
                        match ending {
                            Ending::Closed => {
                                let (setups, work) = times.entry(app).or_default();
                                setups.push(between(since, ready));
                                *work += between(ready, *at);
                            }
                            _ => spoilt.push(app),
                        }
                    }
                    _ => {}
                }
            }
            Record::LeaseLost { lease, .. } => {
                spoilt.extend(open.remove(lease).map(|open| open.app));
            }
            _ => {}
        }
    }
    times.retain(|app, _| !spoilt.contains(app));
    let estimate = |(setups, work)| AppEstimate { setup: median(setups).unwrap_or_default(), work };
    times.into_iter().map(|(app, times)| (app, estimate(times))).collect()
}

fn between(from: u64, to: u64) -> Seconds {
    Duration::from_millis(to.saturating_sub(from)).into()
}

/// What the tests of a class took that ran to their end, with the fixtures of the class.
fn classes(entries: &[Entry]) -> BTreeMap<ClassId, ClassEstimate> {
    let mut of_tests: HashMap<&TestId, (&ClassId, &AppLabel)> = HashMap::new();
    let mut sums: BTreeMap<&ClassId, (u32, Seconds)> = BTreeMap::new();
    let mut apps: BTreeMap<&ClassId, &AppLabel> = BTreeMap::new();
    for Entry { record, .. } in entries {
        let inventory = match record {
            Record::Inventory { inventory, .. } => inventory,
            Record::Observed { event: Event::Planned(planned), .. } => &planned.inventory,
            Record::Observed { event: Event::Found(found), .. } => &found.inventory,
            Record::Observed { event: Event::Finished(finished), .. } => {
                if let Some((class, app)) = of_tests.get(&finished.test) {
                    let (tests, seconds) = sums.entry(class).or_default();
                    *tests += 1;
                    *seconds += finished.seconds;
                    apps.insert(class, app);
                }
                continue;
            }
            Record::Observed { event: Event::Class(class), .. } => {
                let (_, seconds) = sums.entry(&class.class).or_default();
                *seconds += class.setup_seconds + class.teardown_seconds;
                continue;
            }
            _ => continue,
        };
        for class in &inventory.classes {
            of_tests.extend(class.tests.iter().map(|test| (&test.id, (&class.id, &class.app))));
        }
    }
    let estimate = |(class, (tests, seconds)): (&ClassId, (u32, Seconds))| {
        let app = (*apps.get(class)?).clone();
        let per_test = Seconds::new(seconds.get() / f64::from(tests)).ok()?;
        Some((class.clone(), ClassEstimate { app, tests, per_test }))
    };
    sums.into_iter().filter_map(estimate).collect()
}

#[cfg(test)]
mod tests {
    use muletrain_proto::event::{ClassTimes, Finished, Planned, Ready, Warming};
    use muletrain_proto::id::{AgentId, Epoch, LeaseKey, RunId, SuiteName};
    use muletrain_proto::inventory::{Class, Inventory, Test};
    use muletrain_proto::lease::{Lease, Place, Work};
    use muletrain_proto::outcome::Output;
    use muletrain_proto::verdict::Verdict;

    use super::*;

    fn leased(at: u64, lease: u32, app: &str) -> Entry {
        let key = LeaseKey {
            run: RunId::new("r").unwrap(),
            lease: LeaseId(lease),
            epoch: Epoch::default(),
        };
        let app = AppLabel::new(app).unwrap();
        let work = Work::Run { app, labels: vec![], tests: None };
        let suite = SuiteName::default();
        let lease = Lease { key, work, checks: false, suite, without: vec![], time_left: None };
        let place = Place { agent: AgentId::new("a").unwrap(), slot: 0 };
        Entry { number: 1, at, record: Record::Leased { lease, grant: None, place } }
    }

    fn observed(at: u64, lease: u32, event: Event) -> Entry {
        let lease = LeaseId(lease);
        Entry { number: 1, at, record: Record::Observed { lease, sequence: 1, event } }
    }

    fn ended(at: u64, lease: u32, ending: Ending) -> Entry {
        observed(at, lease, Event::Ended(ending))
    }

    #[test]
    fn leases_of_an_app_add_up_and_a_lost_one_spoils_the_figure() {
        let entries = [
            leased(1_000, 1, "shop"),
            leased(1_000, 2, "blog"),
            ended(3_000, 1, Ending::Closed),
            leased(4_000, 3, "shop"),
            ended(4_500, 3, Ending::Closed),
            ended(9_000, 2, Ending::TimedOut),
        ];
        let times = apps(&entries);
        assert_eq!(times.len(), 1);
        assert_eq!(times[&AppLabel::new("shop").unwrap()].whole().get(), 2.5);
    }

    #[test]
    fn what_comes_before_the_first_test_is_set_up() {
        let ready = || {
            let seconds = Seconds::ZERO;
            Event::Ready(Ready { databases: vec![], seconds, output: Output::default() })
        };
        let entries = [
            leased(1_000, 1, "shop"),
            observed(3_000, 1, ready()),
            leased(5_000, 2, "shop"),
            observed(6_000, 2, ready()),
            ended(9_000, 1, Ending::Closed),
            ended(9_000, 2, Ending::Closed),
        ];
        let times = apps(&entries)[&AppLabel::new("shop").unwrap()];
        assert_eq!((times.setup.get(), times.work.get()), (2.0, 9.0));
    }

    #[test]
    fn a_class_takes_what_its_tests_and_its_fixtures_take() {
        let id = |name: &str| TestId::new(format!("shop.tests.T.{name}")).unwrap();
        let class = ClassId::new("shop.tests.T").unwrap();
        let found = Class {
            id: class.clone(),
            app: AppLabel::new("shop").unwrap(),
            module: "shop.tests".into(),
            file: "shop/tests.py".into(),
            line: None,
            phase: 0,
            whole_module: false,
            tags: vec![],
            databases: vec![],
            bases: vec![],
            tests: ["a", "b", "c"].map(|name| Test { id: id(name), tags: vec![] }).to_vec(),
        };
        let finished = |name: &str, seconds: f64| {
            Event::Finished(Finished {
                test: id(name),
                r#try: 1,
                verdict: Verdict::Passed,
                seconds: Seconds::new(seconds).unwrap(),
                reason: None,
                failures: vec![],
                output: Output::default(),
            })
        };
        let times = ClassTimes {
            class: class.clone(),
            setup_seconds: Seconds::new(1.0).unwrap(),
            teardown_seconds: Seconds::new(0.5).unwrap(),
            output: Output::default(),
            peak_kib: None,
        };
        let inventory = Inventory { classes: vec![found], errors: vec![] };
        let planned = Planned { inventory, missing: vec![], seconds: Seconds::ZERO };
        let entries = [
            observed(1, 1, Event::Planned(planned)),
            observed(2, 1, finished("a", 0.25)),
            observed(3, 1, finished("b", 0.25)),
            observed(4, 1, Event::Class(times)),
        ];
        let known = &classes(&entries)[&class];
        assert_eq!((known.tests, known.per_test.get()), (2, 1.0));
        assert_eq!(known.app.as_str(), "shop");
    }

    #[test]
    fn what_an_app_waited_for_everybodys_databases_is_no_time_of_its_own() {
        let made = Warming::Made { seconds: Seconds::new(70.0).unwrap() };
        let entries = [
            leased(1_000, 1, "shop"),
            observed(1_100, 1, Event::Warming(Warming::Begun)),
            observed(71_100, 1, Event::Warming(made)),
            ended(74_100, 1, Ending::Closed),
            // A lease that nobody handed out waits for nothing.
            observed(75_000, 2, Event::Warming(Warming::Found)),
        ];
        assert_eq!(apps(&entries)[&AppLabel::new("shop").unwrap()].whole().get(), 3.0);
    }
}
