//! What pods say when all goes well.

use std::collections::{BTreeMap, VecDeque};

use muletrain_proto::event::{Closed, Event, Finished, Planned, Ready};
use muletrain_proto::id::{AppLabel, ClassId, TestId};
use muletrain_proto::inventory::{Class, Inventory, Test};
use muletrain_proto::lease::{Grant, Lease, Work};
use muletrain_proto::outcome::{Ending, Output};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

pub(super) fn inventory(
    project: &[(AppLabel, Vec<TestId>)],
    wanted: impl Fn(&AppLabel, &TestId) -> bool,
) -> Inventory {
    let mut classes: Vec<Class> = Vec::new();
    for (label, tests) in project {
        for id in tests.iter().filter(|test| wanted(label, test)) {
            let (class, _) = id.as_str().rsplit_once('.').unwrap();
            if classes.last().is_none_or(|last| last.id.as_str() != class) {
                classes.push(empty_class(label, class));
            }
            classes.last_mut().unwrap().tests.push(Test { id: id.clone(), tags: vec![] });
        }
    }
    Inventory { classes, errors: vec![] }
}

/// A class; one called `Flush` leaves no clean database behind.
fn empty_class(label: &AppLabel, id: &str) -> Class {
    Class {
        id: ClassId::new(id).unwrap(),
        app: label.clone(),
        module: format!("{label}.tests"),
        file: format!("{label}/tests.py"),
        line: None,
        phase: if id.ends_with(".Flush") { 2 } else { 0 },
        whole_module: false,
        tags: vec![],
        databases: vec![],
        bases: vec![],
        tests: vec![],
    }
}

/// What a pod has loaded.
fn loaded(project: &[(AppLabel, Vec<TestId>)], lease: &Lease) -> Inventory {
    let Work::Run { app, tests, .. } = &lease.work else { return Inventory::default() };
    let named = |test: &TestId| tests.as_ref().is_none_or(|tests| tests.contains(test));
    let of_app = |label: &AppLabel| tests.is_some() || label == app;
    inventory(project, |label, test| of_app(label) && named(test))
}

/// What a pod says until it waits for tests.
pub(super) fn good_start(project: &[(AppLabel, Vec<TestId>)], lease: &Lease) -> VecDeque<Event> {
    let (inventory, seconds) = (loaded(project, lease), Seconds::ZERO);
    VecDeque::from([
        Event::Planned(Planned { inventory, missing: vec![], seconds }),
        Event::Ready(Ready { databases: vec![], seconds, output: Output::default() }),
    ])
}

/// What a pod says of a grant when all goes well.
pub(super) fn good_run(
    project: &[(AppLabel, Vec<TestId>)],
    failing: &BTreeMap<TestId, u32>,
    lease: &Lease,
    grant: &Grant,
) -> VecDeque<Event> {
    let (mut events, mut count) = (VecDeque::new(), 0);
    let mut classes = loaded(project, lease).classes;
    classes.sort_by_key(|class| class.phase);
    let loaded = classes.into_iter().flat_map(|class| class.tests);
    let granted = |id: &TestId| {
        let Some(tests) = &grant.tests else { return Some((0, 1)) };
        let place = tests.iter().position(|granted| granted.id == *id)?;
        Some((place, tests[place].r#try))
    };
    let mut tests: Vec<(TestId, (usize, u32))> =
        loaded.filter_map(|test| Some((test.id.clone(), granted(&test.id)?))).collect();
    if grant.ordered {
        tests.sort_by_key(|(_, (place, _))| *place);
    }
    for (test, (_, r#try)) in tests {
        count += 1;
        events.push_back(Event::Started { test: test.clone(), r#try });
        events.push_back(Event::Finished(Finished {
            verdict: match failing.get(&test) {
                Some(tries) if r#try <= *tries => Verdict::Failed,
                _ => Verdict::Passed,
            },
            test,
            r#try,
            seconds: Seconds::ZERO,
            reason: None,
            failures: vec![],
            output: Output::default(),
        }));
    }
    events.push_back(Event::Done { grant: grant.number });
    if grant.last {
        events.push_back(Event::Closed(Closed { tests: count, peak_kib: None }));
        events.push_back(Event::Ended(Ending::Closed));
    }
    events
}
