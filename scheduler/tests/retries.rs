//! Scenarios of tests that get another try.

mod world;

use muletrain_proto::event::Event;
use muletrain_proto::journal::Record;
use muletrain_proto::lease::Work;
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::{Options, Stop};
use muletrain_proto::verdict::Verdict::{Crashed, Failed, NotRun, Passed, TimedOut};
use world::{World, death};

fn retrying(retries: u32) -> Options {
    Options { retries, ..Options::default() }
}

/// The tests of every grant that names them, with their tries.
fn granted(world: &World) -> Vec<Vec<(String, u32)>> {
    let tests = world.records.iter().filter_map(|record| match record {
        Record::Leased { grant: Some(grant), .. } | Record::Granted { grant, .. } => {
            grant.tests.as_ref()
        }
        _ => None,
    });
    tests
        .map(|tests| tests.iter().map(|test| (test.id.to_string(), test.r#try)).collect())
        .collect()
}

#[test]
fn a_test_that_failed_is_tried_again_in_a_pod_of_its_own_after_its_app() {
    let mut world = World::new(&[("a", 3)]);
    world.fail_first("a.tests.T.test_1", 1);
    world.connect("one", "b1", 2);
    world.submit(retrying(2));
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(granted(&world), [[("a.tests.T.test_1".to_owned(), 2)]]);
    assert_eq!(world.verdict("a.tests.T.test_1"), Some(Passed));
    assert_eq!(world.run().ledger.red(), 0);
}

#[test]
fn the_last_try_that_is_allowed_settles_it() {
    let mut world = World::new(&[("a", 2)]);
    world.fail_first("a.tests.T.test_0", 9);
    world.connect("one", "b1", 2);
    world.submit(retrying(2));
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict("a.tests.T.test_0"), Some(Failed));
    let account = world.run().ledger.get(&world::test("a.tests.T.test_0")).unwrap();
    assert_eq!((account.tries, world.run().ledger.red()), (3, 1));
}

#[test]
fn the_rest_of_an_app_goes_before_what_failed_in_it() {
    let mut world = World::new(&[("a", 3)]);
    world.fail_first("a.tests.T.test_0", 1);
    world.connect("one", "b1", 2);
    world.submit(retrying(1));
    let key = world.pod_of("a");
    while !matches!(world.deliver(&key), Some(Event::Finished(_))) {}
    world.until_running(&key);
    world.end(&key, Ending::Crashed(death("segmentation fault")));
    world.settle_down();
    let tests = ["a.tests.T.test_2", "a.tests.T.test_0"].map(str::to_owned);
    let [rest, again] = tests;
    assert_eq!(granted(&world), [[(rest, 2)], [(again, 2)]]);
    assert!(world.is_closed());
}

#[test]
fn a_crash_is_final_also_where_there_are_retries() {
    let mut world = World::new(&[("a", 1)]);
    world.connect("one", "b1", 2);
    world.submit(retrying(5));
    let key = world.pod_of("a");
    world.until_running(&key);
    world.end(&key, Ending::Crashed(death("segmentation fault")));
    world.settle_down();
    assert_eq!((world.is_closed(), world.verdict("a.tests.T.test_0")), (true, Some(Crashed)));
}

#[test]
fn a_failure_is_not_taken_back_by_a_run_that_ends_early() {
    let mut world = World::new(&[("a", 1), ("b", 1)]);
    world.fail_first("a.tests.T.test_0", 1);
    world.connect("one", "b1", 1);
    world.submit(retrying(1));
    while world.run().ledger.get(&world::test("a.tests.T.test_0")).is_none_or(|a| a.failures == 0) {
        let key = world.pods.keys().next().unwrap().clone();
        world.deliver(&key);
    }
    let stop = Stop::Interrupted;
    world.take(muletrain_scheduler::pure::decide::Input::Stop(world::run_id(), stop));
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict("a.tests.T.test_0"), Some(Failed));
    let told = |record: &&Record| {
        matches!(record, Record::Settled { r#try: 2, verdict: NotRun, test, .. }
            if test.as_str() == "a.tests.T.test_0")
    };
    assert_eq!(world.records.iter().filter(told).count(), 1, "why it was not tried again");
}

#[test]
fn only_what_stays_red_counts_for_the_failure_limit() {
    let mut world = World::new(&[("a", 3), ("b", 3)]);
    world.fail_first("a.tests.T.test_0", 1);
    world.connect("one", "b1", 3);
    world.submit(Options { max_failures: Some(1), ..retrying(1) });
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!((world.run().stop.clone(), world.run().ledger.red()), (None, 0));
}

#[test]
fn a_test_that_took_too_long_may_be_tried_again() {
    let mut world = World::new(&[("a", 2)]);
    world.connect("one", "b1", 2);
    world.submit(retrying(1));
    let key = world.pod_of("a");
    let slow = world.until_running(&key);
    world.time_out(&key, &slow, &[]);
    assert_eq!(world.verdict(slow.as_str()), None);
    world.settle_down();
    assert_eq!(world.verdict(slow.as_str()), Some(Passed));

    let mut world = World::new(&[("a", 2)]);
    world.connect("one", "b1", 2);
    world.submit(retrying(0));
    let key = world.pod_of("a");
    let slow = world.until_running(&key);
    world.time_out(&key, &slow, &[]);
    assert_eq!(world.verdict(slow.as_str()), Some(TimedOut));
}

#[test]
fn a_pod_of_tries_that_is_lost_does_not_use_a_try_up() {
    let mut world = World::new(&[("a", 1)]);
    world.fail_first("a.tests.T.test_0", 1);
    world.connect("one", "b1", 2);
    world.submit(retrying(1));
    while granted(&world).is_empty() {
        let key = world.pods.keys().next().unwrap().clone();
        world.deliver(&key);
    }
    let key = world.pod_of("a");
    assert!(matches!(world.pods[&key].lease.work, Work::Run { .. }));
    world.end(&key, Ending::Infrastructure { reason: "no space left".into() });
    world.settle_down();
    assert_eq!(world.verdict("a.tests.T.test_0"), Some(Passed));
    assert_eq!(granted(&world).len(), 2);
}
