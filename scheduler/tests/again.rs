//! What a stored run leaves to be run again, and in which order its tests ran.

mod world;

use muletrain_proto::event::Event;
use muletrain_proto::id::TestId;
use muletrain_proto::journal::Record;
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::{Options, Stop};
use muletrain_scheduler::pure::again::{Left, Past};
use muletrain_scheduler::pure::decide::Input;
use proptest::prelude::*;
use world::{World, death, run_id, test};

fn left(world: &World) -> Left {
    Past::new(&run_id(), &world.records).expect("it begins with its run").left()
}

fn names(left: Left) -> Vec<String> {
    match left {
        Left::Only(only, _) => only.into_iter().map(String::from).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_failed_crashed_or_never_ran_is_left() {
    let mut world = World::new(&[("a", 3), ("b", 2), ("c", 1)]);
    world.fail_first("b.tests.T.test_0", 1);
    world.connect("one", "b1", 1);
    world.submit(Options { max_failures: Some(2), ..Options::default() });
    world.settle_until_leased("a");
    let key = world.pod_of("a");
    world.until_running(&key);
    world.end(&key, Ending::Crashed(death("killed")));
    world.settle_down();
    assert!(world.is_closed() && matches!(world.run().stop, Some(Stop::FailureLimit { .. })));
    let expected = ["a.tests.T.test_0", "b.tests.T.test_0", "b.tests.T.test_1", "c.tests.T.test_0"];
    assert_eq!(names(left(&world)), expected);
}

#[test]
fn a_run_in_which_all_is_well_leaves_nothing_also_where_a_test_was_flaky() {
    let mut world = World::new(&[("a", 2)]);
    world.fail_first("a.tests.T.test_0", 1);
    world.connect("one", "b1", 1);
    world.submit(Options { retries: 1, ..Options::default() });
    world.settle_down();
    assert_eq!(left(&world), Left::Nothing);
}

#[test]
fn a_run_that_never_got_to_know_its_tests_leaves_all_it_was_asked_for() {
    let mut world = World::new(&[("a", 2)]);
    let options = Options { labels: vec!["a".to_owned()], ..Options::default() };
    world.submit(options.clone());
    world.take(Input::Stop(run_id(), Stop::Interrupted));
    assert_eq!(left(&world), Left::Everything(Box::new(options)));
}

#[test]
fn only_what_is_left_runs_and_what_is_gone_is_told() {
    let mut world = World::new(&[("a", 3), ("b", 2)]);
    world.connect("one", "b1", 2);
    let only = ["a.tests.T.test_1", "b.tests", "b.tests.T.test_9"].map(test).to_vec();
    world.submit(Options { only, ..Options::default() });
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.run().ledger.len(), 3);
    let notes = world.records.iter().filter_map(|record| match record {
        Record::Inventory { notes, deselected, .. } => Some((notes.clone(), *deselected)),
        _ => None,
    });
    let gone = "b.tests.T.test_9 was asked for and is not there any more".to_owned();
    assert_eq!(notes.collect::<Vec<_>>(), [(vec![gone], 2)]);
}

#[test]
fn where_nothing_of_it_is_there_any_more_that_is_why_nothing_runs() {
    let mut world = World::new(&[("a", 1)]);
    world.connect("one", "b1", 2);
    world.submit(Options { only: vec![test("b.tests.T.test_9")], ..Options::default() });
    world.settle_down();
    let Some(Stop::NothingSelected { reason }) = &world.run().stop else {
        panic!("{:?}", world.run().stop);
    };
    assert_eq!(reason, "b.tests.T.test_9 was asked for and is not there any more");
}

#[test]
fn the_order_of_a_pod_is_that_in_which_its_tests_began() {
    let mut world = World::new(&[("a", 4), ("b", 1)]);
    world.fail_first("a.tests.T.test_2", 1);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    world.settle_down();
    let past = Past::new(&run_id(), &world.records).unwrap();
    let third = test("a.tests.T.test_2");
    let expected: Vec<TestId> =
        (0..3).map(|number| test(&format!("a.tests.T.test_{number}"))).collect();
    assert_eq!(past.pod_order(&third), Some(expected.clone()));
    assert_eq!(past.serial_order(&third), Some(expected));
    assert_eq!((past.failed(&third), past.failed(&test("a.tests.T.test_1"))), (true, false));
    assert_eq!(past.test("T.test_2"), Ok(third));
    assert_eq!(past.test("test_0").unwrap_err().len(), 2, "both apps have one");
    assert_eq!(past.test("x"), Err(vec![]));
}

proptest! {
    #[test]
    fn what_is_left_is_what_is_not_green(
        sizes in proptest::collection::vec(1..4_usize, 1..4),
        failing in proptest::collection::vec((0..3_usize, 0..4_usize), 0..4),
        events in 0..60_usize,
    ) {
        let names = ["a", "b", "c"];
        let apps: Vec<(&str, usize)> = names.into_iter().zip(sizes).collect();
        let mut world = World::new(&apps);
        for (app, number) in failing {
            world.fail_first(&format!("{}.tests.T.test_{number}", names[app]), 1);
        }
        world.connect("one", "b1", 2);
        world.submit(Options::default());
        for _ in 0..events {
            let Some(key) = world.pods.keys().next().cloned() else { break };
            world.deliver(&key);
        }
        let passed: Vec<TestId> = world.records.iter().filter_map(|record| match record {
            Record::Observed { event: Event::Finished(one), .. } if !one.verdict.is_red() => {
                Some(one.test.clone())
            }
            _ => None,
        }).collect();
        let all = world.project.iter().flat_map(|(_, tests)| tests);
        let expected: Vec<&TestId> = all.filter(|test| !passed.contains(test)).collect();
        match left(&world) {
            Left::Only(only, _) => prop_assert_eq!(only.iter().collect::<Vec<_>>(), expected),
            Left::Nothing => prop_assert!(expected.is_empty()),
            Left::Everything(_) => prop_assert!(!world.run().inventory_known()),
        }
    }
}
