//! One app shared by several pods: what each is granted, in which order, and when a further pod
//! pays.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::event::{Event, LimitOf, Phase, TimedOut};
use muletrain_proto::id::{ClassId, LeaseId, LeaseKey, TestId};
use muletrain_proto::journal::Record;
use muletrain_proto::outcome::{Ending, Output};
use muletrain_proto::plan::{AppEstimate, ClassEstimate, Estimates};
use muletrain_proto::run::Options;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;
use world::{World, app, death};

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).expect("it is a length of time")
}

/// A world whose apps have classes of two tests each, as long as given, and pods that take a set-up.
fn world(apps: &[(&str, &[(&str, f64)])], setup: f64) -> World {
    let empty: Vec<(&str, usize)> = apps.iter().map(|(label, _)| (*label, 0)).collect();
    let mut world = World::new(&empty);
    let mut estimates = Estimates::default();
    for (label, classes) in apps {
        let work = classes.iter().map(|(_, time)| seconds(*time)).sum();
        estimates.apps.insert(app(label), AppEstimate { setup: seconds(setup), work });
        for (class, time) in *classes {
            world.add_class(label, class, 2);
            let per_test = seconds(time / 2.0);
            let class = ClassId::new(format!("{label}.tests.{class}")).expect("it is a name");
            estimates.classes.insert(class, ClassEstimate { app: app(label), tests: 2, per_test });
        }
    }
    world.estimates = estimates;
    world
}

/// Delivers what a pod says until it was granted more, or is over.
fn until_granted(world: &mut World, key: &LeaseKey) {
    let number = |world: &World| {
        let grant = world.pods.get(key).and_then(|pod| pod.grant.as_ref());
        grant.map_or(0, |grant| grant.number)
    };
    let before = number(world);
    while world.pods.contains_key(key) && number(world) == before {
        world.deliver(key).expect("it has something to say");
    }
}

/// Classes of the last grant of a pod, in the order of their names.
fn granted(world: &World, key: &LeaseKey) -> Vec<String> {
    let pod = world.pods.get(key).expect("it is there");
    let grant = pod.grant.as_ref().expect("it was granted something");
    let class = |test: &TestId| test.as_str().rsplit('.').nth(1).unwrap_or_default().to_owned();
    let tests = grant.tests.iter().flatten().map(|test| class(&test.id));
    tests.collect::<BTreeSet<_>>().into_iter().collect()
}

fn pods(world: &World, label: &str) -> Vec<LeaseKey> {
    let of_app = |key: &&LeaseKey| world.pods[*key].lease.work.app() == Some(&app(label));
    world.pods.keys().filter(of_app).cloned().collect()
}

/// Everything goes well until the tests are known.
fn collect(world: &mut World) {
    let is_collection = |key: &&LeaseKey| world.pods[*key].lease.work.app().is_none();
    let key = world.pods.keys().find(is_collection).cloned().expect("tests are collected first");
    while world.pods.contains_key(&key) {
        world.deliver(&key);
    }
}

#[test]
fn a_small_app_is_granted_at_once_and_in_the_order_of_a_serial_run() {
    let mut world = world(&[("a", &[("Short", 0.5), ("Long", 1.0)])], 2.0);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    let key = world.pod_of("a");
    until_granted(&mut world, &key);
    let grant = world.pods[&key].grant.clone().unwrap();
    assert!(grant.last && grant.tests.is_none(), "{grant:?}");
}

#[test]
fn an_app_that_nobody_shares_runs_in_the_order_of_a_serial_run() {
    let classes: &[(&str, f64)] = &[("A", 1.0), ("B", 2.0), ("C", 30.0), ("D", 20.0), ("E", 40.0)];
    let mut world = world(&[("heavy", classes), ("other", &[("A", 500.0)])], 2.0);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    collect(&mut world);
    let key = world.pod_of("heavy");
    let mut order = Vec::new();
    while world.pods.contains_key(&key) {
        until_granted(&mut world, &key);
        if world.pods.contains_key(&key) {
            order.extend(granted(&world, &key));
        }
    }
    assert_eq!(order, ["A", "B", "C", "D", "E"]);
}

#[test]
fn a_heavy_app_gets_a_further_pod_which_takes_the_longest_classes() {
    let many: Vec<String> = (0..20).map(|number| format!("C{number:02}")).collect();
    let mut heavy: Vec<(&str, f64)> = many.iter().map(|name| (name.as_str(), 4.0)).collect();
    heavy[13].1 = 9.0;
    let mut world = world(&[("heavy", &heavy)], 2.0);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    let first = world.pod_of("heavy");
    until_granted(&mut world, &first);
    assert!(granted(&world, &first).iter().map(String::as_str).eq(many[..6].iter()));
    collect(&mut world);
    let pods = pods(&world, "heavy");
    assert_eq!(pods.len(), 2, "a minute is left, and a pod takes 2 s");
    let second = pods.into_iter().find(|key| *key != first).unwrap();
    until_granted(&mut world, &second);
    assert!(granted(&world, &second).contains(&"C13".to_owned()));
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.run().ledger.settled(), 40);
}

#[test]
fn no_class_is_split_over_the_pods_of_an_app() {
    let classes: &[(&str, f64)] = &[("A", 9.0), ("B", 8.0), ("C", 7.0), ("D", 6.0), ("E", 5.0)];
    let mut world = world(&[("heavy", classes)], 1.0);
    world.connect("one", "b1", 3);
    world.submit(Options::default());
    collect(&mut world);
    // Side by side, as pods are.
    while !world.is_closed() {
        let pods: Vec<LeaseKey> = world.pods.keys().cloned().collect();
        let delivered: Vec<Option<Event>> = pods.iter().map(|key| world.deliver(key)).collect();
        assert!(delivered.iter().any(Option::is_some), "nothing goes on");
    }
    let mut holders: BTreeMap<String, BTreeSet<LeaseId>> = BTreeMap::new();
    for record in &world.records {
        let Record::Granted { lease, grant } = record else { continue };
        for one in grant.tests.iter().flatten() {
            let (class, _) = one.id.as_str().rsplit_once('.').unwrap();
            holders.entry(class.to_owned()).or_default().insert(*lease);
        }
    }
    let pods: BTreeSet<LeaseId> = holders.values().flatten().copied().collect();
    assert!(pods.len() > 1, "the app is shared: {holders:?}");
    assert!(holders.len() == 5 && holders.values().all(|pods| pods.len() == 1), "{holders:?}");
}

#[test]
fn all_pods_take_the_longest_class_first_where_they_would_wait_for_it() {
    let heavy: &[(&str, f64)] = &[("A", 1.0), ("B", 2.0), ("C", 30.0), ("D", 20.0), ("E", 40.0)];
    let mut world = world(&[("heavy", heavy)], 2.0);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    let first = world.pod_of("heavy");
    collect(&mut world);
    let second = pods(&world, "heavy").into_iter().find(|key| *key != first).unwrap();
    until_granted(&mut world, &second);
    assert_eq!(granted(&world, &second), ["E"]);
    until_granted(&mut world, &first);
    assert_eq!(granted(&world, &first), ["C"]);
    world.settle_down();
    assert!(world.is_closed());
}

#[test]
fn a_further_pod_that_takes_longer_to_set_up_than_it_spares_is_not_started() {
    let mut world = world(&[("a", &[("A", 4.0), ("B", 4.0)])], 20.0);
    world.connect("one", "b1", 4);
    world.submit(Options::default());
    collect(&mut world);
    assert_eq!(pods(&world, "a").len(), 1);
    world.settle_down();
    assert!(world.is_closed());
    let leased = world.leased_apps();
    assert_eq!(leased, ["collect", "a"]);
}

#[test]
fn how_long_this_run_s_pods_take_to_set_up_goes_before_what_past_runs_say() {
    let classes: &[(&str, f64)] = &[("A", 4.0), ("B", 4.0), ("C", 4.0), ("D", 4.0)];
    let mut world = world(&[("a", classes)], 1.0);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    let first = world.pod_of("a");
    world.now += 30_000;
    while !matches!(world.deliver(&first), Some(Event::Ready(_)) | None) {}
    collect(&mut world);
    assert_eq!(pods(&world, "a").len(), 1, "a pod takes 30 s, and no 16 s are left");
}

#[test]
fn other_apps_are_begun_before_a_further_pod_for_a_heavy_one() {
    let heavy: &[(&str, f64)] = &[("A", 50.0), ("B", 40.0)];
    let mut world = world(&[("heavy", heavy), ("small", &[("A", 1.0)])], 2.0);
    world.connect("one", "b1", 3);
    world.submit(Options::default());
    collect(&mut world);
    assert_eq!(world.leased_apps()[..4], ["collect", "heavy", "small", "heavy"].map(String::from));
}

#[test]
fn a_pod_that_finds_nothing_left_closes_and_is_no_failure() {
    let mut world = world(&[("a", &[("A", 30.0), ("B", 30.0)])], 2.0);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    let first = world.pod_of("a");
    collect(&mut world);
    let second = pods(&world, "a").into_iter().find(|key| *key != first).unwrap();
    while world.pods.contains_key(&first) {
        world.deliver(&first);
    }
    until_granted(&mut world, &second);
    assert_eq!(granted(&world, &second), [""; 0]);
    world.settle_down();
    assert!(world.is_closed() && world.run().stop.is_none());
    assert_eq!(world.run().ledger.red(), 0);
}

#[test]
fn what_a_pod_that_died_was_granted_goes_to_another() {
    let mut world = world(&[("a", &[("A", 30.0), ("B", 30.0), ("C", 30.0)])], 2.0);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    let first = world.pod_of("a");
    let running = world.until_running(&first);
    world.end(&first, Ending::Crashed(death("segmentation fault")));
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.run().ledger.settled(), 6);
    assert_eq!(world.run().ledger.red(), 1, "{running} alone");
}

#[test]
fn within_a_pod_what_flushes_comes_after_what_does_not() {
    let mut world = world(&[("a", &[("Flush", 90.0), ("Long", 30.0), ("Short", 20.0)])], 2.0);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    world.settle_down();
    let mut flushed = BTreeSet::new();
    for record in &world.records {
        let Record::Observed { lease, event: Event::Started { test, .. }, .. } = record else {
            continue;
        };
        match test.as_str().contains("Flush") {
            true => drop(flushed.insert(*lease)),
            false => assert!(!flushed.contains(lease), "{test} finds what others left"),
        }
    }
    assert!(!flushed.is_empty());
}

#[test]
fn a_shuffled_app_stays_in_one_pod() {
    let mut world = world(&[("a", &[("A", 30.0), ("B", 30.0)])], 2.0);
    world.connect("one", "b1", 2);
    world.submit(Options { shuffle: Some(7), ..Options::default() });
    world.settle_down();
    assert_eq!(world.leased_apps(), ["collect", "a"]);
}

/// Pods that share an app on one agent of four slots.
fn shared() -> (World, Vec<LeaseKey>) {
    let classes: Vec<String> = (0..20).map(|number| format!("C{number:02}")).collect();
    let classes: Vec<(&str, f64)> = classes.iter().map(|name| (name.as_str(), 30.0)).collect();
    let mut world = world(&[("a", &classes)], 2.0);
    world.connect("one", "b1", 4);
    world.submit(Options::default());
    collect(&mut world);
    let pods = pods(&world, "a");
    assert_eq!(pods.len(), 4);
    (world, pods)
}

#[test]
fn a_host_that_is_lost_with_several_pods_of_an_app_is_one_loss() {
    let (mut world, _) = shared();
    world.cut_off("one");
    world.connect("one", "b2", 4);
    world.settle_down();
    assert!(world.is_closed());
    assert!(world.run().apps[&app("a")].broken.is_none());
    assert_eq!((world.run().ledger.settled(), world.run().ledger.red()), (40, 0));
}

#[test]
fn a_further_pod_that_goes_wrong_leaves_the_app_to_the_first() {
    let (mut world, pods) = shared();
    world.until_running(&pods[0]);
    while !matches!(world.deliver(&pods[0]), Some(Event::Finished(_))) {}
    world.fail(&pods[1], Phase::Databases);
    assert!(world.run().apps[&app("a")].broken.is_none());
    let leases = world.leased_apps().len();
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.leased_apps().len(), leases, "it gets no further pod");
    assert_eq!(world.run().ledger.red(), 1, "but what went wrong is red");
    assert_eq!(world.verdict("a.tests.C19.test_1"), Some(Verdict::Passed));
}

#[test]
fn the_time_limit_of_an_app_ends_it_in_all_its_pods() {
    let (mut world, pods) = shared();
    let running = world.until_running(&pods[0]);
    let pod = world.pods.get_mut(&pods[0]).expect("it is there");
    let timed_out = TimedOut {
        test: running,
        r#try: 1,
        seconds: seconds(60.0),
        stacks: String::new(),
        output: Output::default(),
        limit_of: LimitOf::App,
        tests: vec![],
    };
    pod.queue = [Event::TimedOut(timed_out), Event::Ended(Ending::TimedOut)].into();
    let leases = world.leased_apps().len();
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.leased_apps().len(), leases, "no pod begins with a limit of its own");
    assert_eq!(world.verdict("a.tests.C19.test_1"), Some(Verdict::NotRun));
}

#[test]
fn what_one_pod_misses_and_another_has_is_not_given_up() {
    let (mut world, pods) = shared();
    until_granted(&mut world, &pods[0]);
    let missed = world::test("a.tests.C19.test_1");
    let pod = world.pods.get_mut(&pods[1]).expect("it is there");
    let Some(Event::Planned(planned)) = pod.queue.front_mut() else { panic!("it says so first") };
    planned.missing = vec![missed.clone()];
    planned.inventory.classes.iter_mut().for_each(|class| {
        class.tests.retain(|test| test.id != missed);
    });
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict(missed.as_str()), Some(Verdict::Passed));
}
