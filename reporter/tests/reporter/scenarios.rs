//! Runs that go wrong, one way each, and the exit code they end with.

use muletrain_proto::event::{Event, Failed, Fixture, Phase};
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::inventory::{Inventory, LoadError};
use muletrain_proto::journal::Record;
use muletrain_proto::lease::Work;
use muletrain_proto::outcome::{Death, Ending, Output};
use muletrain_proto::run::Stop;
use muletrain_proto::verdict::Verdict;

use crate::journal::{Journal, app, classes, failed, failure, passed, seconds, test};

const ADD: &str = "shop.tests.T.test_add";
const SUM: &str = "shop.tests.T.test_sum";

fn shop() -> Inventory {
    classes("shop", &[("shop.tests.T", &["test_add", "test_sum"])])
}

/// One app, its pod up and about to run its two tests.
fn ready() -> Journal {
    let mut journal = Journal::opened();
    journal.inventory(shop()).lease(1, "shop", "laptop").up(1, shop());
    journal
}

fn not_run(id: &str, lost: bool) -> Record {
    Record::Settled {
        test: test(id),
        r#try: 1,
        verdict: Verdict::NotRun,
        reason: "so it is".to_owned(),
        lease: None,
        lost,
    }
}

fn death(running: Option<&str>) -> Ending {
    Ending::Crashed(Death {
        running: running.map(test),
        status: Some(0),
        signal: None,
        memory_limit: Some(2 << 30),
        reason: "ended without its sentinel".to_owned(),
        output: Output::default(),
        stderr: String::new(),
    })
}

#[test]
fn all_is_well() {
    let mut journal = ready();
    journal.run(1, passed(ADD, 0.1)).run(1, passed(SUM, 0.1)).end(1, Ending::Closed).close();
    assert_eq!(journal.summary().exit, ExitCode::Green);
}

#[test]
fn a_test_without_a_verdict_is_lost() {
    let mut journal = ready();
    journal.run(1, passed(ADD, 0.1)).end(1, Ending::Closed).close();
    let summary = journal.summary();
    assert_eq!(summary.exit, ExitCode::Incomplete);
    assert_eq!(summary.tests[1].decisive.reason.as_deref(), Some("no verdict was recorded"));
}

#[test]
fn work_that_was_lost_is_incomplete() {
    let mut journal = ready();
    journal.run(1, passed(ADD, 0.1)).end(1, Ending::Closed).record(not_run(SUM, true)).close();
    assert_eq!(journal.summary().exit, ExitCode::Incomplete);
}

#[test]
fn a_pod_that_nobody_closed_is_incomplete() {
    let mut journal = ready();
    journal.run(1, passed(ADD, 0.1)).run(1, passed(SUM, 0.1)).close();
    assert_eq!(journal.summary().unfinished, ["lease 1 on laptop was closed by nobody"]);
    assert_eq!(journal.summary().exit, ExitCode::Incomplete);
}

#[test]
fn a_fixture_that_fails_takes_its_class_along() {
    let mut journal = ready();
    journal.event(
        1,
        Event::Fixture(Fixture {
            id: test("setUpClass (shop.tests.T)"),
            class: None,
            verdict: Verdict::Error,
            failures: Vec::new(),
            output: Output::default(),
            tests: vec![test(ADD), test(SUM)],
        }),
    );
    journal.end(1, Ending::Closed).close();
    let summary = journal.summary();
    assert_eq!(summary.exit, ExitCode::Red);
    assert_eq!((summary.counts.not_run, summary.counts.problems), (2, 1));
    let reason = summary.tests[0].decisive.reason.as_deref();
    assert_eq!(reason, Some("setUpClass (shop.tests.T) failed"));
}

#[test]
fn a_module_that_fails_to_load_everywhere_is_one_error() {
    let mut inventory = shop();
    inventory.errors = vec![LoadError {
        id: test("unittest.loader._FailedTest.shop.tests_old"),
        app: app("shop"),
        failures: vec![failure("ImportError", "no module named 'old'", "x")],
    }];
    let mut journal = Journal::opened();
    journal.inventory(inventory.clone()).lease(1, "shop", "laptop").up(1, inventory);
    journal.run(1, passed(ADD, 0.1)).run(1, passed(SUM, 0.1)).end(1, Ending::Closed).close();
    let summary = journal.summary();
    assert_eq!((summary.exit, summary.counts.problems), (ExitCode::Red, 1));
    assert_eq!(summary.problems[0].failures.len(), 1);
}

#[test]
fn what_fails_before_an_app_is_known_concerns_the_run() {
    let mut journal = Journal::opened();
    for lease in [1, 2] {
        journal.lease(lease, "shop", "laptop");
        let failures = vec![failure("ImproperlyConfigured", "SECRET_KEY must not be empty", "x")];
        let failed = Failed { phase: Phase::Boot, failures, output: Output::default() };
        journal.event(lease, Event::Failed(failed)).end(lease, Ending::Failed);
    }
    journal.stop(Stop::CannotBoot).close();
    let summary = journal.summary();
    assert_eq!(summary.exit, ExitCode::Red);
    assert_eq!(summary.problems.len(), 1);
    assert_eq!(summary.problems[0].id, "(boot)");
}

#[test]
fn a_teardown_that_fails_is_red_although_every_test_passed() {
    let mut journal = ready();
    journal.run(1, passed(ADD, 0.1)).run(1, passed(SUM, 0.1));
    let failed = Failed { phase: Phase::Teardown, failures: Vec::new(), output: Output::default() };
    journal.event(1, Event::Failed(failed)).end(1, Ending::Failed).close();
    assert_eq!(journal.summary().problems[0].id, "shop (teardown)");
    assert_eq!(journal.summary().exit, ExitCode::Red);
}

#[test]
fn a_process_that_dies_takes_the_test_it_ran() {
    let mut journal = ready();
    journal.run(1, passed(ADD, 0.1)).start(1, SUM).after(700).end(1, death(None)).close();
    let summary = journal.summary();
    let crashed = &summary.tests[1];
    assert_eq!(crashed.outcome.verdict, Verdict::Crashed);
    assert_eq!(crashed.decisive.seconds, Some(seconds(0.75)));
    let message = &crashed.decisive.failures[0].message;
    assert_eq!(message, "ended without its sentinel (memory limit 2048 MiB)");
}

#[test]
fn a_process_that_dies_between_tests_is_an_error_of_its_app() {
    let mut journal = ready();
    journal.run(1, passed(ADD, 0.1)).run(1, passed(SUM, 0.1)).end(1, death(None)).close();
    assert_eq!(journal.summary().problems[0].id, "shop (run)");
    assert_eq!(journal.summary().exit, ExitCode::Red);
}

#[test]
fn a_late_verdict_of_a_lost_lease_is_still_a_fact() {
    let mut journal = ready();
    journal.run(1, passed(ADD, 0.1)).start(1, SUM);
    let reason = "its agent did not come back".to_owned();
    journal.record(Record::LeaseLost { lease: muletrain_proto::id::LeaseId(1), reason });
    let late = failed(SUM, 0.2, vec![failure("AssertionError", "1 != 2", "x")]);
    journal.event(1, Event::Finished(late)).record(not_run(SUM, true)).close();
    let summary = journal.summary();
    assert_eq!(summary.tests[1].outcome.verdict, Verdict::Failed);
    assert_eq!(summary.incidents, ["shop on laptop: lost: its agent did not come back"]);
}

#[test]
fn a_run_that_was_stopped_ends_with_its_reason() {
    for (stop, code) in [
        (Stop::Interrupted, ExitCode::Interrupted),
        (Stop::FailureLimit { failures: 1 }, ExitCode::Red),
        (Stop::Timeout { limit: seconds(5.0) }, ExitCode::Red),
        (Stop::Infrastructure { reason: "no agent".to_owned() }, ExitCode::Infrastructure),
    ] {
        let mut journal = ready();
        journal.stop(stop).end(1, Ending::Revoked);
        journal.record(not_run(ADD, false)).record(not_run(SUM, false)).close();
        assert_eq!(journal.summary().exit, code);
    }
}

#[test]
fn a_selection_of_nothing_is_a_usage_error() {
    let mut journal = Journal::opened();
    journal.leased(1, Work::Collect { labels: Vec::new() }, "laptop").end(1, Ending::Closed);
    journal.inventory(Inventory::default());
    journal.stop(Stop::NothingSelected { reason: "no test matches".to_owned() }).close();
    assert_eq!(journal.summary().exit, ExitCode::Usage);
}

#[test]
fn a_run_without_an_inventory_knows_not_what_it_left_out() {
    let mut journal = Journal::opened();
    journal.lease(1, "shop", "laptop").up(1, shop());
    journal.run(1, passed(ADD, 0.1)).run(1, passed(SUM, 0.1)).end(1, Ending::Closed).close();
    assert_eq!(journal.summary().exit, ExitCode::Incomplete);
}
