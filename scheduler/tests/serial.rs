//! Scenarios of classes that must not run at the same time, and of tests in a given order.

mod world;

use muletrain_proto::id::{RunId, TestId};
use muletrain_proto::journal::Record;
use muletrain_proto::lease::Work;
use muletrain_proto::run::Options;
use world::{World, run_id};

fn serial() -> Options {
    Options { serial: vec!["*.Printer".to_owned()], ..Options::default() }
}

/// Two apps that both have a class that prints, and other tests.
fn printing() -> World {
    let mut world = World::new(&[("a", 2), ("b", 2)]);
    world.add_class("a", "Printer", 2);
    world.add_class("b", "Printer", 1);
    world
}

/// Classes of each pod that is up.
fn running(world: &World) -> Vec<Vec<&str>> {
    let tests = world.pods.values().filter_map(|pod| match &pod.lease.work {
        Work::Run { tests, .. } => tests.as_ref(),
        Work::Collect { .. } | Work::Combine { .. } => None,
    });
    let class = |test: &TestId| {
        let (class, _) = test.as_str().rsplit_once('.').expect("an id has a class");
        world.project.iter().flat_map(|(_, tests)| tests).find_map(|known| {
            known.as_str().strip_prefix(class).map(|_| &known.as_str()[..class.len()])
        })
    };
    let classes = tests.map(|tests| tests.iter().filter_map(class));
    let mut all: Vec<Vec<&str>> = classes
        .map(|classes| {
            let mut classes: Vec<&str> = classes.collect();
            classes.dedup();
            classes
        })
        .collect();
    all.sort();
    all
}

fn until_inventory(world: &mut World) {
    while !world.run().inventory_known() {
        let key = world.pods.keys().next().cloned().expect("there is a pod");
        world.deliver(&key);
    }
}

#[test]
fn other_work_goes_on_while_a_class_has_something_to_itself() {
    let mut world = printing();
    world.connect("one", "b1", 4);
    world.submit(serial());
    assert_eq!(world.leased_apps(), ["collect"], "nobody knows yet what has to be kept apart");
    until_inventory(&mut world);
    let running = running(&world);
    assert_eq!(running, [["a.tests.Printer"], ["a.tests.T"], ["b.tests.T"]]);
    world.settle_down();
    assert!(world.is_closed() && world.run().ledger.settled() == 7);
}

#[test]
fn two_runs_of_one_scheduler_wait_for_each_other() {
    let mut world = printing();
    world.connect("one", "b1", 8);
    world.submit(serial());
    world.submit_as(RunId::new("r2").unwrap(), serial());
    world.settle_down();
    assert!(world.state.runs.is_empty(), "both ended, and at no moment did two pods print");
}

#[test]
fn what_a_lost_pod_may_still_be_using_stays_taken() {
    let mut world = World::new(&[("a", 0)]);
    world.add_class("a", "Printer", 2);
    world.connect("one", "b1", 1);
    world.submit(serial());
    until_inventory(&mut world);
    world.settle_until_leased("a");
    world.cut_off("one");
    world.connect("two", "b1", 1);
    world.wait(16_000);
    assert!(world.state.fleet.iter().count() == 1 || world.run().leases.is_empty());
    world.connect("two", "b1", 1);
    let leases = |world: &World| world.leased_apps().iter().filter(|app| *app == "a").count();
    assert_eq!(leases(&world), 1, "its pod may live on for a while");
    for _ in 0..31 {
        world.wait(2_000);
        world.beat();
    }
    assert_eq!(leases(&world), 2);
    world.settle_down();
    assert!(world.is_closed());
}

#[test]
fn an_agent_that_comes_back_without_its_pod_frees_what_it_had() {
    let mut world = World::new(&[("a", 0)]);
    world.add_class("a", "Printer", 2);
    world.connect("one", "b1", 1);
    world.submit(serial());
    until_inventory(&mut world);
    world.settle_until_leased("a");
    world.connect("one", "b1", 1);
    world.cut_off("one");
    world.connect("one", "b2", 1);
    world.settle_down();
    assert!(world.is_closed());
}

#[test]
fn tests_run_in_the_order_that_was_asked_for_in_one_pod() {
    let mut world = printing();
    world.connect("one", "b1", 4);
    let order = ["b.tests.T.test_1", "a.tests.T.test_0", "b.tests.T.test_0"];
    let only = order.map(world::test).to_vec();
    world.submit(Options { only: only.clone(), ordered: true, ..Options::default() });
    world.settle_down();
    assert!(world.is_closed());
    let finished = world.records.iter().filter_map(|record| match record {
        Record::Observed { event: muletrain_proto::event::Event::Finished(one), .. } => {
            Some(one.test.clone())
        }
        _ => None,
    });
    assert_eq!(finished.collect::<Vec<_>>(), only);
    assert_eq!(world.leased_apps(), ["collect", "b"]);
    assert_eq!(world.run().id, run_id());
}
