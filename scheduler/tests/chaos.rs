//! Whatever agents do, a run ends, every test is accounted for once, and the journal tells it all.

mod world;

use muletrain_proto::event::{Phase, Warming};
use muletrain_proto::id::LeaseKey;
use muletrain_proto::journal::Record;
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::Options;
use muletrain_proto::seconds::Seconds;
use muletrain_scheduler::pure::run::Run;
use proptest::prelude::*;
use world::{World, death};

/// Something that happens to a world; numbers pick among what is there.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Deliver(usize),
    Crash(usize),
    Fail(usize, usize),
    Warm(usize, usize),
    LoseHost(usize),
    CloseEarly(usize),
    CutOff(usize),
    Return(usize),
    Restart(usize, u8),
    Wait(u64),
    Beat,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        20 => (0..8_usize).prop_map(Happening::Deliver),
        2 => (0..8_usize).prop_map(Happening::Crash),
        1 => ((0..8_usize), (2..6_usize)).prop_map(|(pod, phase)| Happening::Fail(pod, phase)),
        1 => ((0..8_usize), (0..4_usize)).prop_map(|(pod, step)| Happening::Warm(pod, step)),
        1 => (0..8_usize).prop_map(Happening::LoseHost),
        1 => (0..8_usize).prop_map(Happening::CloseEarly),
        2 => (0..2_usize).prop_map(Happening::CutOff),
        2 => (0..2_usize).prop_map(Happening::Return),
        1 => ((0..2_usize), (2..9_u8)).prop_map(|(agent, boot)| Happening::Restart(agent, boot)),
        2 => (100..12_000_u64).prop_map(Happening::Wait),
        6 => Just(Happening::Beat),
    ]
}

const AGENTS: [&str; 2] = ["one", "two"];

fn happen(world: &mut World, happening: Happening) {
    let pod = |world: &World, number: usize| -> Option<LeaseKey> {
        let count = world.pods.len();
        (count > 0).then(|| world.pods.keys().nth(number % count).cloned()).flatten()
    };
    match happening {
        Happening::Deliver(number) => {
            if let Some(key) = pod(world, number) {
                world.deliver(&key);
            }
        }
        Happening::Crash(number) => end(world, pod(world, number), Ending::Crashed(death("x"))),
        Happening::LoseHost(number) => {
            let ending = Ending::Infrastructure { reason: "x".into() };
            end(world, pod(world, number), ending);
        }
        Happening::CloseEarly(number) => end(world, pod(world, number), Ending::Closed),
        Happening::Fail(number, phase) => {
            if let Some(key) = pod(world, number) {
                world.fail(&key, Phase::ALL[phase]);
            }
        }
        Happening::Warm(number, step) => {
            if let Some(key) = pod(world, number) {
                world.warm(&key, warming(step));
            }
        }
        Happening::CutOff(agent) => world.cut_off(AGENTS[agent]),
        Happening::Return(agent) => world.connect(AGENTS[agent], "b1", 2),
        Happening::Restart(agent, boot) => {
            world.cut_off(AGENTS[agent]);
            world.connect(AGENTS[agent], &format!("b{boot}"), 2);
        }
        Happening::Wait(time) => world.wait(time),
        Happening::Beat => world.beat(),
    }
}

/// Any word on databases for all pods, at the right time or not.
fn warming(step: usize) -> Warming {
    match step {
        0 => Warming::Begun,
        1 => Warming::Found,
        2 => Warming::Made { seconds: Seconds::ZERO },
        _ => Warming::Failed { reason: "x".into() },
    }
}

fn end(world: &mut World, key: Option<LeaseKey>, ending: Ending) {
    if let Some(key) = key {
        world.end(&key, ending);
    }
}

/// After the chaos, agents are well and the run comes to its end.
fn calm_down(world: &mut World) {
    for round in 0..40 {
        if world.is_closed() {
            return;
        }
        world.connect("one", &format!("calm{round}"), 2);
        world.connect("healthy", "b1", 2);
        world.settle_down();
        world.wait(16_000);
        world.beat();
    }
    panic!("the run does not end: {:?}", world.run());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_run_always_ends_with_every_test_accounted_for(
        sizes in proptest::collection::vec(0..4_usize, 1..4),
        other in 0..2_usize,
        happenings in proptest::collection::vec(happening(), 0..120),
        retries in 0..3_u32,
        failing in proptest::collection::vec((0..3_usize, 0..4_usize, 1..4_u32), 0..3),
        is_serial in any::<bool>(),
        classes in proptest::collection::btree_set((0..3_usize, 0..3_usize), 0..6),
    ) {
        let names = ["a", "b", "c"];
        let sizes = sizes.into_iter().chain([0, 0]);
        let mut apps: Vec<(&str, usize)> = names.into_iter().zip(sizes).collect();
        apps.push(("(other)", other));
        let mut world = World::new(&apps);
        for (app, class) in classes {
            let (app, class) = (names[app], ["Flush", "Long", "Short"][class]);
            world.add_class(app, class, 2);
            world.expect(app, class, 2, 9.0);
        }
        for (app, number, tries) in failing {
            world.fail_first(&format!("{}.tests.T.test_{number}", names[app]), tries);
        }
        let serial = if is_serial { vec!["*.T".to_owned()] } else { vec![] };
        for agent in AGENTS {
            world.connect(agent, "b1", 2);
        }
        world.submit(Options { retries, serial, ..Options::default() });
        for step in happenings {
            happen(&mut world, step);
            if world.is_closed() {
                break;
            }
        }
        calm_down(&mut world);

        let run = world.run();
        prop_assert!(run.closed && run.ledger.is_settled() && run.leases.is_empty());
        if run.inventory_known() && run.unbootable.is_empty() {
            let tests = world.project.iter().flat_map(|(_, tests)| tests);
            for test in tests {
                prop_assert!(run.ledger.get(test).is_some_and(|test| test.verdict.is_some()));
            }
        } else {
            prop_assert!(run.stop.is_some(), "closed without an inventory and without a reason");
        }
        for (test, account) in run.ledger.tests() {
            prop_assert!(account.failures <= account.retries + 1, "{test} was tried too often");
            let passed = account.verdict.is_some_and(|verdict| !verdict.is_red());
            prop_assert!(!passed || account.failures <= account.retries, "{test} is red");
        }
        prop_assert_eq!(red(run), run.ledger.red());
        replays(&world);
    }
}

fn red(run: &Run) -> u32 {
    let verdicts = run.ledger.tests().filter_map(|(_, account)| account.verdict);
    verdicts.fold(0, |count, verdict| count + u32::from(verdict.is_red()))
}

/// The journal alone gives the same run again.
fn replays(world: &World) {
    let run = world.run();
    let Some(Record::Opened { snapshot, options }) = world.records.first() else {
        panic!("a journal begins with its run");
    };
    let mut again = Run::new(run.id.clone(), snapshot.clone(), options.clone(), 0);
    for record in &world.records {
        again.apply(0, record);
    }
    assert_eq!(again.ledger, run.ledger);
    assert_eq!((again.apps, again.stop, again.closed), (run.apps.clone(), run.stop.clone(), true));
}
