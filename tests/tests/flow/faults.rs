//! Tests that take their process down: red, named with the cause, and costing nobody else.

use std::time::Duration;

use muletrain_proto::event::Event;
use muletrain_proto::id::LeaseId;
use muletrain_proto::verdict::Verdict;
use muletrain_tests::engine::{docker, prepare};
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::{Journal, Verdicts};
use muletrain_tests::oracle::differences;
use muletrain_tests::program::Ended;

use crate::junit::count_cases;
use crate::patient::{self, WAITING};

/// How long cleaning up may take that begins before the end of a run.
const SOON: Duration = Duration::from_secs(10);

/// A test that must be red, and what its report must say.
struct Fault {
    test: &'static str,
    verdict: Verdict,
    reason: &'static str,
}

const fn crash(test: &'static str, reason: &'static str) -> Fault {
    Fault { test, verdict: Verdict::Crashed, reason }
}

const fn timeout(test: &'static str) -> Fault {
    Fault { test, verdict: Verdict::TimedOut, reason: "ran over its limit of 4.0 s" }
}

/// What happens in every runtime.
const FAULTS: [Fault; 5] = [
    crash("exits.tests.test_fault.ExitTest.test_exits", "exit with status 0 before the tests were"),
    crash(
        "segfaults.tests.test_fault.SegmentationFaultTest.test_reads_address_zero",
        "segmentation fault (signal 11)",
    ),
    crash("killed.tests.test_fault.KilledTest.test_kills_itself", "killed (signal 9)"),
    timeout("hangs.tests.test_fault.HangTest.test_computes_for_ever"),
    timeout("hangs.tests.test_fault.HangTest.test_waits_for_ever_and_is_deaf"),
];

/// What only happens where memory is limited.
const MEMORY: Fault = crash(
    "allocates.tests.test_fault.AllocateTest.test_allocates",
    "out of memory, the limit is 256 MiB",
);

#[test]
fn in_containers_cost_nothing_but_the_running_test() {
    prepare();
    let limits = ["--test-timeout", "4s", "--memory", "256m", "--processes", "100"];
    let flow = Flow::sample("faults");
    let ended = flow.run("docker", &limits).end();
    let journal = judge(&flow, &ended, FAULTS.iter().chain([&MEMORY]));
    // Seven apps with faults of five tests, one of which has a sixth, and the neighbour's three.
    assert_eq!(journal.verdicts().len(), 39);
    let bomb = output_of(&journal, "forks.tests.test_fault.ForkTest.test_forks");
    let started = bomb.and_then(|text| text.strip_prefix("stopped at ")?.split(' ').next());
    let started: u32 = started.and_then(|number| number.parse().ok()).expect("it says so");
    assert!(started < 100, "{started} processes were started");
    let raging = output_of(&journal, "bombs.tests.test_fault.BombTest.test_forks_in_a_loop");
    assert_eq!(raging, Some("no room for another process\n"));
    assert!(journal.is_closed());
    flow.is_left_clean(SOON);
}

#[test]
fn in_processes_cost_nothing_but_the_running_test() {
    let apps = ["exits", "segfaults", "killed", "hangs", "healthy"];
    let flow = Flow::sample("faults");
    let ended = flow.run("process", &[&apps[..], &["--test-timeout", "4s"]].concat()).end();
    let journal = judge(&flow, &ended, FAULTS.iter());
    assert_eq!(journal.verdicts().len(), 24);
}

#[test]
fn a_container_killed_from_outside_costs_nothing_but_the_running_test() {
    prepare();
    let flow = patient::flow();
    let mut run = flow.run("docker", &[]);
    let pod = run.until("a test that waits", |_| patient::pod_of(&flow.journal()?, WAITING));
    docker(&["kill", &pod]);
    let fault = crash(WAITING, "killed (signal 9), of the whole pod");
    let journal = judge(&flow, &run.end(), [&fault].into_iter());
    assert_eq!(journal.verdicts().len(), 3);
}

/// Sees that these tests are red for these reasons, that all others passed, and where.
#[track_caller]
fn judge<'a>(flow: &Flow, ended: &Ended, faults: impl Iterator<Item = &'a Fault>) -> Journal {
    ended.expect(1);
    let journal = flow.journal().expect("a run leaves its journal");
    let verdicts = journal.verdicts();
    let mut wanted: Verdicts = verdicts.keys().map(|id| (id.clone(), Verdict::Passed)).collect();
    for fault in faults {
        wanted.insert(fault.test.to_owned(), fault.verdict);
        let named = format!("{} {}\n", shown(fault.verdict), fault.test);
        let block = ended.stdout.split("\n\n").find(|block| block.contains(&named));
        let block = block.unwrap_or_else(|| panic!("nothing says {named}{}", ended.stdout));
        assert!(block.contains(fault.reason), "not {}: {block}", fault.reason);
        assert_goes_on_elsewhere(&journal, fault.test);
    }
    assert_eq!(differences(&verdicts, &wanted), [""; 0]);
    assert_eq!(count_cases(&flow.junit()), verdicts.len());
    journal
}

fn shown(verdict: Verdict) -> String {
    verdict.to_string().to_uppercase()
}

/// The tests after a fault passed, and not in the pod that died of it. The fault had one try.
#[track_caller]
fn assert_goes_on_elsewhere(journal: &Journal, fault: &str) {
    let starts = |id: &str| -> Vec<LeaseId> {
        let begins =
            |event: &Event| matches!(event, Event::Started { test, .. } if test.as_str() == id);
        journal.events().filter(|(_, event)| begins(event)).map(|(lease, _)| lease).collect()
    };
    let (class, _) = fault.rsplit_once('.').expect("it is a method of a class");
    let died = starts(fault);
    assert_eq!(died.len(), 1, "{fault} is not run again");
    for mate in ["test_z_after", "test_c_passes"] {
        let places = starts(&format!("{class}.{mate}"));
        assert!(!places.contains(&died[0]), "{class}.{mate} ran after {fault} in its pod");
    }
}

fn output_of<'a>(journal: &'a Journal, wanted: &str) -> Option<&'a str> {
    journal.events().find_map(|(_, event)| match event {
        Event::Finished(finished) if finished.test.as_str() == wanted => {
            Some(finished.output.text.as_str())
        }
        _ => None,
    })
}
