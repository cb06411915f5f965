//! Ctrl-C at any moment: a report of what is known, and nothing left behind.

use std::time::{Duration, Instant};

use muletrain_proto::journal::Record;
use muletrain_proto::run::Stop;
use muletrain_proto::verdict::Verdict;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Journal;
use muletrain_tests::program::{Ended, Running};
use rustix::process::Signal;

use crate::junit::count_cases;
use crate::patient::{self, BEFORE, ENDLESS_IMPORT, WAITING};

/// How long an interrupted run may take to leave nothing behind.
const LIMIT: Duration = Duration::from_secs(10);

in_both_runtimes!(
    while_the_checkout_is_read,
    while_dependencies_are_installed,
    right_after_the_start,
    while_tests_are_collected,
    in_the_middle_of_a_test,
);

/// Sends Ctrl-C, and sees that the run ends and nothing is left of it.
#[track_caller]
fn interrupt(flow: &Flow, run: Running) -> Ended {
    let deadline = Instant::now() + LIMIT;
    run.signal(Signal::INT);
    let ended = run.end_within(LIMIT);
    ended.expect(130);
    flow.is_left_clean(deadline.saturating_duration_since(Instant::now()));
    ended
}

/// The same, for a run that has begun: it is reported as far as it got.
#[track_caller]
fn interrupt_begun(flow: &Flow, run: Running) -> Journal {
    let ended = interrupt(flow, run);
    assert!(ended.stdout.contains("interrupted"), "{}", ended.stdout);
    let journal = flow.journal().expect("a run leaves its journal");
    let stopping = Record::Stopping { stop: Stop::Interrupted };
    assert!(journal.records.contains(&stopping) && journal.is_closed(), "{}", journal.text);
    assert_eq!(count_cases(&flow.junit()), journal.verdicts().len());
    journal
}

fn while_the_checkout_is_read(runtime: &str) {
    let flow = patient::flow();
    let mut run = flow.run(runtime, &[]);
    run.says("builder: ");
    interrupt(&flow, run);
}

fn while_dependencies_are_installed(runtime: &str) {
    let configuration = "[image]\nbase = 'muletrain-test-base:bookworm'\ninstall = ['sleep 299']\n";
    let flow = Flow::small(&[("muletrain.toml", configuration)]);
    let mut command = flow.run_command(runtime, &[]);
    // Nothing of it can be shared, as it never gets ready.
    let mut run = flow.start(command.env("MULETRAIN_CACHE", flow.path("cache")));
    run.says("sleep 299");
    interrupt(&flow, run);
    assert_eq!(flow.runs().len(), 0);
}

fn right_after_the_start(runtime: &str) {
    let flow = patient::flow();
    let mut run = flow.run(runtime, &[]);
    run.until("a journal", |_| flow.journal());
    interrupt_begun(&flow, run);
}

fn while_tests_are_collected(runtime: &str) {
    let flow = Flow::small(&[("app/tests.py", ENDLESS_IMPORT)]);
    let mut run = flow.run(runtime, &[]);
    run.until("a collection", |_| flow.journal().filter(patient::collects));
    interrupt_begun(&flow, run);
}

fn in_the_middle_of_a_test(runtime: &str) {
    let flow = patient::flow();
    let mut run = flow.run(runtime, &[]);
    run.until("a test that waits", |_| flow.journal().filter(patient::waits));
    let verdicts = interrupt_begun(&flow, run).verdicts();
    assert_eq!(verdicts.get(BEFORE), Some(&Verdict::Passed), "what is known stays known");
    assert_eq!(verdicts.get(WAITING), Some(&Verdict::NotRun));
}

#[test]
fn while_a_virtual_environment_is_made() {
    let flow = patient::flow();
    let mut command = flow.run_command("process", &[]);
    let mut run = flow.start(command.env("MULETRAIN_CACHE", flow.path("cache")));
    run.says("making a virtual environment");
    interrupt(&flow, run);
}
