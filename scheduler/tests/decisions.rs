//! Scenarios of one run: what the scheduler decides when things go well and when they do not.

mod world;

use muletrain_proto::event::{Event, LimitOf, Phase, Warming};
use muletrain_proto::id::{LeaseKey, SuiteName, TestId};
use muletrain_proto::journal::Record;
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::{Options, Selection, Stop};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict::{Crashed, NotRun, Passed, TimedOut};
use world::{Pod, World, death};

fn stopped(world: &World) -> Option<&Stop> {
    world.run().stop.as_ref()
}

fn lost_tests(world: &World) -> usize {
    let lost = |record: &&Record| matches!(record, Record::Settled { lost: true, .. });
    world.records.iter().filter(lost).count()
}

#[test]
fn the_largest_app_starts_beside_the_collection_and_all_tests_get_a_verdict() {
    let mut world = World::new(&[("small", 1), ("large", 3), ("(other)", 2)]);
    world.connect("a", "b1", 2);
    world.submit(Options::default());
    assert_eq!(world.leased_apps(), ["collect", "large"]);
    world.settle_down();
    assert_eq!(world.leased_apps(), ["collect", "large", "small", "(other)"]);
    assert!(world.is_closed() && world.run().ledger.settled() == 6);
    assert!(matches!(world.records.last(), Some(Record::Closed)));
}

#[test]
fn a_run_has_no_more_pods_at_once_than_it_wants() {
    let mut world = World::new(&[("a", 2), ("b", 2), ("c", 2)]);
    world.connect("one", "b1", 8);
    world.submit(Options { slots: Some(2), ..Options::default() });
    assert_eq!(world.pods.len(), 2);
    world.settle_down();
    assert!(world.is_closed() && world.run().ledger.settled() == 6);
}

#[test]
fn with_a_selection_nothing_starts_before_the_inventory_is_known() {
    let mut world = World::new(&[("a", 2), ("b", 2)]);
    world.connect("a", "b1", 4);
    let selection = Selection { patterns: vec!["b.tests.T.test_1".into()], ..Selection::default() };
    world.submit(Options { selection, ..Options::default() });
    assert_eq!(world.leased_apps(), ["collect"]);
    world.settle_down();
    assert_eq!(world.leased_apps(), ["collect", "b"]);
    assert_eq!(world.run().ledger.len(), 1);
}

#[test]
fn a_selection_that_leaves_nothing_stops_the_run() {
    let mut world = World::new(&[("a", 2)]);
    world.connect("a", "b1", 1);
    let selection = Selection { tags: vec!["none".into()], ..Selection::default() };
    world.submit(Options { selection, ..Options::default() });
    world.settle_down();
    assert!(world.is_closed());
    assert!(matches!(stopped(&world), Some(Stop::NothingSelected { .. })));
}

#[test]
fn a_crash_is_final_for_its_test_and_costs_its_classmates_nothing() {
    let mut world = World::new(&[("a", 3)]);
    world.connect("a", "b1", 2);
    world.submit(Options::default());
    let key = world.pod_of("a");
    let first = world.until_running(&key);
    world.end(&key, Ending::Crashed(death("segmentation fault")));
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict(first.as_str()), Some(Crashed));
    assert_eq!(world.run().ledger.red(), 1);
    assert_eq!(world.verdict("a.tests.T.test_2"), Some(Passed));
    assert_eq!(lost_tests(&world), 0);
}

#[test]
fn a_class_over_its_limit_is_not_gone_on_with() {
    let mut world = World::new(&[("a", 3)]);
    world.add_class("a", "Other", 1);
    world.connect("a", "b1", 2);
    world.submit(Options::default());
    let key = world.pod_of("a");
    let first = world.until_running(&key);
    world.time_out(&key, &first, &["a.tests.T.test_1", "a.tests.T.test_2"]);
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict(first.as_str()), Some(TimedOut));
    assert_eq!(world.verdict("a.tests.T.test_1"), Some(NotRun));
    assert_eq!(world.verdict("a.tests.T.test_2"), Some(NotRun));
    assert_eq!(world.verdict("a.tests.Other.test_0"), Some(Passed), "another class goes on");
    assert_eq!((world.run().ledger.red(), lost_tests(&world)), (1, 0));
}

#[test]
fn a_pod_that_dies_before_any_test_is_red_and_is_not_tried_for_ever() {
    let mut world = World::new(&[("a", 2), ("b", 1)]);
    world.connect("a", "b1", 2);
    world.submit(Options::default());
    let key = world.pod_of("a");
    world.end(&key, Ending::Crashed(death("exit status 0")));
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict("a.tests.T.test_0"), Some(NotRun));
    assert_eq!(world.verdict("b.tests.T.test_0"), Some(Passed));
    assert_eq!((world.run().ledger.red(), lost_tests(&world)), (1, 0));
}

#[test]
fn databases_that_cannot_be_set_up_cost_their_app_alone() {
    let mut world = World::new(&[("a", 2), ("b", 1)]);
    world.connect("a", "b1", 2);
    world.submit(Options::default());
    let key = world.pod_of("a");
    world.fail(&key, Phase::Databases);
    world.settle_down();
    assert_eq!(world.verdict("a.tests.T.test_1"), Some(NotRun));
    assert_eq!(world.verdict("b.tests.T.test_0"), Some(Passed));
    assert_eq!(stopped(&world), None);
}

#[test]
fn settings_that_raise_end_the_run_once() {
    let mut world = World::new(&[("a", 2), ("b", 1)]);
    world.connect("a", "b1", 2);
    world.submit(Options::default());
    let key = world.pod_of("a");
    world.fail(&key, Phase::Boot);
    assert_eq!(stopped(&world), Some(&Stop::CannotBoot));
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.run().ledger.red(), 1);
}

#[test]
fn a_lost_agents_work_goes_elsewhere_and_its_verdicts_stay() {
    let mut world = World::new(&[("a", 3)]);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    let key = world.pod_of("a");
    world.until_running(&key);
    world.deliver(&key);
    let second = world.until_running(&key);
    world.cut_off("one");
    world.wait(10_000);
    assert_eq!(world.leased_apps(), ["collect", "a"], "it may still come back");
    world.wait(6_000);
    world.connect("two", "b1", 2);
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict(second.as_str()), Some(Passed));
    assert_eq!(world.run().ledger.get(&second).unwrap().tries, 2);
    assert_eq!(world.run().ledger.get(&world::test("a.tests.T.test_0")).unwrap().tries, 1);
}

#[test]
fn no_agent_is_lost_because_the_scheduler_was_away() {
    let mut world = World::new(&[("a", 3)]);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    world.wait(1_000);
    world.stall(600_000);
    assert!(world.state.fleet.iter().next().is_some());
    world.wait(16_000);
    assert!(world.state.fleet.iter().next().is_none(), "silence counts again from then on");
}

#[test]
fn a_grant_that_was_lost_with_its_stream_is_sent_again() {
    let mut world = World::new(&[("a", 2)]);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    let key = world.pod_of("a");
    assert!(matches!(world.deliver(&key), Some(Event::Planned(_))));
    let pod = world.pods.get_mut(&key).unwrap();
    assert!(pod.grant.take().is_some(), "a pod that has told of its tests is granted some");
    pod.queue.truncate(1);
    world.cut_off("one");
    world.connect("one", "b1", 2);
    world.settle_down();
    assert!(world.is_closed() && world.run().ledger.settled() == 2);
}

#[test]
fn an_agent_that_comes_back_in_time_goes_on_where_it_was() {
    let mut world = World::new(&[("a", 3)]);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    let key = world.pod_of("a");
    world.until_running(&key);
    world.cut_off("one");
    world.wait(5_000);
    world.connect("one", "b1", 2);
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.leased_apps(), ["collect", "a"]);
}

#[test]
fn a_test_under_which_two_agents_are_lost_is_the_cause() {
    let mut world = World::new(&[("a", 2)]);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    for boot in ["b2", "b3"] {
        let key = world.pod_of("a");
        assert_eq!(world.until_running(&key).as_str(), "a.tests.T.test_0");
        world.cut_off("one");
        world.connect("one", boot, 2);
    }
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict("a.tests.T.test_0"), Some(Crashed));
    assert_eq!(world.verdict("a.tests.T.test_1"), Some(Passed));
}

#[test]
fn work_that_is_lost_three_times_is_given_up_as_incomplete() {
    let mut world = World::new(&[("a", 2)]);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    for _ in 0..3 {
        let key = world.pod_of("a");
        world.end(&key, Ending::Infrastructure { reason: "no space left".into() });
    }
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!((world.verdict("a.tests.T.test_0"), lost_tests(&world)), (Some(NotRun), 2));
}

#[test]
fn a_second_agent_of_the_same_name_is_refused_while_the_first_lives() {
    let mut world = World::new(&[("a", 1)]);
    world.connect("one", "b1", 1);
    world.connect("one", "other", 1);
    let boot = &world.state.fleet.iter().next().unwrap().1.hello.boot;
    assert_eq!(boot.as_str(), "b1");
}

#[test]
fn the_failure_limit_stops_everything_else() {
    let mut world = World::new(&[("a", 3), ("b", 2)]);
    world.connect("one", "b1", 2);
    world.submit(Options { max_failures: Some(1), ..Options::default() });
    let key = world.pod_of("a");
    world.until_running(&key);
    world.end(&key, Ending::Crashed(death("killed")));
    assert_eq!(stopped(&world), Some(&Stop::FailureLimit { failures: 1 }));
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict("a.tests.T.test_2"), Some(NotRun));
}

#[test]
fn an_interrupted_run_closes_even_if_its_agent_is_silent() {
    let mut world = World::new(&[("a", 2)]);
    world.connect("one", "b1", 2);
    world.submit(Options::default());
    let key = world.pod_of("a");
    world.until_running(&key);
    let stop = muletrain_scheduler::pure::decide::Input::Stop(world::run_id(), Stop::Interrupted);
    world.take(stop);
    assert!(!world.is_closed(), "it waits for what the agent still has to say");
    world.wait(8_000);
    assert!(world.is_closed());
    assert_eq!(world.verdict("a.tests.T.test_1"), Some(NotRun));
}

fn key_of(pod: &Pod) -> LeaseKey {
    pod.lease.key.clone()
}

/// A run of five seconds whose tests are known, with a test of app `a` running.
fn limited(apps: &[(&str, usize)], slots: u32) -> (World, LeaseKey, TestId) {
    let mut world = World::new(apps);
    world.connect("one", "b1", slots);
    let timeout = Seconds::new(5.0).ok();
    world.submit(Options { timeout, ..Options::default() });
    let is_collection = |pod: &Pod| pod.lease.work.app().is_none();
    while let Some(key) = world.pods.values().find(|pod| is_collection(pod)).map(key_of) {
        world.deliver(&key);
    }
    let key = world.pod_of("a");
    let running = world.until_running(&key);
    (world, key, running)
}

/// Tests that the scheduler has given a verdict, as far as it is not "did not run".
fn settled(world: &World) -> Vec<&TestId> {
    let settled = world.records.iter().filter_map(|record| match record {
        Record::Settled { test, verdict: TimedOut, .. } => Some(test),
        _ => None,
    });
    settled.collect()
}

#[test]
fn when_the_time_is_up_the_running_test_has_timed_out() {
    let (mut world, _, running) = limited(&[("a", 2)], 2);
    world.wait(5_001);
    world.wait(1_500);
    assert_eq!(world.verdict(running.as_str()), None, "its pod may still say it");
    world.wait(1_000);
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict(running.as_str()), Some(TimedOut));
    assert_eq!(settled(&world), [&running]);
    assert_eq!(world.verdict("a.tests.T.test_1"), Some(NotRun));
}

#[test]
fn what_a_pod_says_of_the_test_that_ran_when_the_time_was_up_goes_first() {
    let (mut world, key, running) = limited(&[("a", 2), ("b", 2)], 2);
    world.wait(5_001);
    assert!(matches!(stopped(&world), Some(Stop::Timeout { .. })));
    world.run_over(&key, &running, LimitOf::Run, &[]);
    world.wait(2_000);
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(world.verdict(running.as_str()), Some(TimedOut));
    assert!(settled(&world).is_empty(), "nothing is left to be said of it");
    for other in ["a.tests.T.test_1", "b.tests.T.test_0", "b.tests.T.test_1"] {
        assert_eq!(world.verdict(other), Some(NotRun), "{other}");
    }
}

#[test]
fn a_pod_that_goes_on_when_the_time_is_up_is_asked_to_end_after_its_test() {
    let (mut world, key, running) = limited(&[("a", 3)], 1);
    world.wait(5_001);
    while world.verdict(running.as_str()).is_none() {
        world.deliver(&key).expect("the test ends");
    }
    assert!(world.run().leases.values().all(|held| held.revoked.is_some()));
    world.settle_down();
    assert_eq!(world.verdict(running.as_str()), Some(Passed));
    assert_eq!(world.verdict("a.tests.T.test_2"), Some(NotRun));
}

#[test]
fn a_pod_that_runs_no_test_when_the_time_is_up_is_asked_to_end_at_once() {
    let mut world = World::new(&[("a", 2)]);
    world.connect("one", "b1", 1);
    let timeout = Some(Seconds::new(5.0).unwrap());
    world.submit(Options { timeout, ..Options::default() });
    world.wait(5_001);
    assert!(world.run().leases.values().all(|held| held.revoked.is_some()));
}

#[test]
fn a_pod_that_sees_the_time_of_the_run_end_first_stops_the_run() {
    let (mut world, key, running) = limited(&[("a", 2)], 1);
    world.wait(4_000);
    world.run_over(&key, &running, LimitOf::Run, &[]);
    world.settle_down();
    assert!(world.is_closed());
    assert!(matches!(stopped(&world), Some(Stop::Timeout { .. })));
}

#[test]
fn a_pod_that_begins_later_has_what_is_left_of_the_time() {
    let mut world = World::new(&[("a", 1), ("b", 1)]);
    world.connect("one", "b1", 1);
    let timeout = Some(Seconds::new(5.0).unwrap());
    world.submit(Options { timeout, ..Options::default() });
    world.settle_until_leased("a");
    world.wait(2_000);
    world.settle_until_leased("b");
    let left = world.records.iter().filter_map(|record| match record {
        Record::Leased { lease, .. } => Some(lease.time_left.map(Seconds::get)),
        _ => None,
    });
    assert_eq!(left.collect::<Vec<_>>(), [None, Some(5.0), Some(3.0)], "a collection has no limit");
}

#[test]
fn without_an_agent_a_run_waits_a_minute_and_then_says_so() {
    let mut world = World::new(&[("a", 2)]);
    world.submit(Options::default());
    world.wait(59_000);
    assert!(!world.is_closed());
    world.wait(2_000);
    assert!(world.is_closed());
    assert!(matches!(stopped(&world), Some(Stop::Infrastructure { .. })));
}

#[test]
fn system_checks_run_wherever_tests_do() {
    let mut world = World::new(&[("a", 2), ("b", 2)]);
    world.connect("one", "b1", 4);
    world.submit(Options::default());
    world.settle_down();
    let leases = world.records.iter().filter_map(|record| match record {
        Record::Leased { lease, .. } => Some((lease.work.app().is_some(), lease.checks)),
        _ => None,
    });
    assert_eq!(leases.collect::<Vec<_>>(), [(false, false), (true, true), (true, true)]);
}

#[test]
fn a_lease_may_wait_for_databases_as_long_as_its_agent_lives() {
    let mut world = World::new(&[("a", 2), ("b", 2)]);
    world.connect("one", "b1", 3);
    world.submit(Options::default());
    let keys = [world.pod_of("a"), world.pod_of("b")];
    for key in &keys {
        world.warm(key, Warming::Begun);
    }
    for _ in 0..400 {
        world.wait(3_000);
        world.beat();
    }
    let seconds = Seconds::new(1_200.0).unwrap();
    world.warm(&keys[0], Warming::Made { seconds });
    world.warm(&keys[1], Warming::Failed { reason: "no space left".into() });
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(
        (stopped(&world), world.run().ledger.settled(), world.run().ledger.red()),
        (None, 4, 0)
    );
    assert_eq!(world.leased_apps(), ["collect", "a", "b"], "nothing was leased again");
    let told =
        |record: &&Record| matches!(record, Record::Observed { event: Event::Warming(_), .. });
    assert_eq!(world.records.iter().filter(told).count(), 4);
}

#[test]
fn what_an_agent_says_of_somebody_elses_lease_counts_for_nothing() {
    let mut world = World::new(&[("a", 1)]);
    world.connect("one", "b1", 2);
    world.connect("two", "b1", 1);
    world.submit(Options::default());
    let key = world.pod_of("a");
    let before = world.records.len();
    let thief = world.state.fleet.iter().map(|(id, _)| id.clone());
    let holder = world.pods[&key].agent.clone();
    let thief = thief.into_iter().find(|agent| *agent != holder).unwrap();
    let report = muletrain_proto::link::Report {
        lease: key,
        sequence: 1,
        event: Event::Ended(Ending::Closed),
    };
    world.take(muletrain_scheduler::pure::decide::Input::Reported(thief, Box::new(report)));
    assert_eq!(world.records.len(), before);
}

/// Two suites, `site` and the nameless one, each with an app of its own.
fn two_suites() -> World {
    let mut world = World::new(&[("a", 2), ("b", 2)]);
    world.suites.insert(SuiteName::new("site").expect("it is a name"), [world::app("b")].into());
    world.connect("one", "b1", 4);
    world.submit(Options::default());
    world
}

#[test]
fn every_suite_is_collected_by_itself() {
    let mut world = two_suites();
    assert_eq!(world.leased_apps(), ["collect", "collect", "a", "b"]);
    world.settle_down();
    assert!(world.is_closed() && stopped(&world).is_none());
    assert_eq!(world.run().ledger.settled(), 4);
}

#[test]
fn a_suite_that_cannot_be_loaded_stops_no_other() {
    let mut world = two_suites();
    let key = world.pod_of("b");
    world.fail(&key, Phase::Boot);
    world.settle_down();
    assert!(world.is_closed() && stopped(&world).is_none());
    assert_eq!(world.verdict("a.tests.T.test_1"), Some(Passed));
    assert_eq!(world.verdict("b.tests.T.test_1"), Some(NotRun));
    assert_eq!(lost_tests(&world), 0, "it is reported red already");
}

#[test]
fn where_no_suite_can_be_loaded_the_run_stops() {
    let mut world = two_suites();
    for app in ["a", "b"] {
        let key = world.pod_of(app);
        world.fail(&key, Phase::Boot);
    }
    world.settle_down();
    assert!(world.is_closed());
    assert_eq!(stopped(&world), Some(&Stop::CannotBoot));
}
