//! Databases that are set up once for all pods: what of them is told, and how often.

use muletrain_proto::event::{Event, Warming};
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::inventory::Inventory;
use muletrain_proto::outcome::Ending;
use muletrain_reporter::pure::progress;
use muletrain_reporter::render::{json, terminal};

use crate::journal::{Journal, classes, databases, fold, passed, seconds};
use crate::progress::{beat, drawn};
use crate::render::PLAIN;

const APPS: [&str; 3] = ["shop", "blog", "mail"];

fn tests(app: &str) -> Inventory {
    classes(app, &[(&format!("{app}.tests.T"), &["test_it"])])
}

/// A run of three apps at once; all their pods have to wait.
fn waiting(agents: [&str; 3]) -> Journal {
    let mut journal = Journal::opened();
    let classes = APPS.iter().flat_map(|app| tests(app).classes).collect();
    journal.inventory(Inventory { classes, errors: Vec::new() });
    for (lease, (app, agent)) in (1..).zip(APPS.into_iter().zip(agents)) {
        journal.lease(lease, app, agent).after(10).warming(lease, Warming::Begun);
    }
    journal
}

fn made(time: f64) -> Warming {
    Warming::Made { seconds: seconds(time) }
}

fn failed(reason: &str) -> Warming {
    Warming::Failed { reason: reason.to_owned() }
}

/// From its databases to its end, all is well.
fn run(journal: &mut Journal, lease: u32, app: &str, warm: &[bool], time: f64) {
    journal.event(lease, Event::Ready(databases(warm, time)));
    journal.run(lease, passed(&format!("{app}.tests.T.test_it"), 0.5)).end(lease, Ending::Closed);
}

/// What a log says of databases.
fn log(journal: &Journal) -> Vec<String> {
    let mut state = fold(&[]);
    let mut lines = Vec::new();
    for entry in &journal.entries {
        let changes = state.apply(entry);
        lines.extend(changes.iter().filter_map(|one| progress::line(&state, one, PLAIN)));
    }
    lines.retain(|line| line.contains("databases"));
    lines
}

/// What the report's last section says of databases.
fn total(journal: &Journal) -> Option<String> {
    let report = terminal::report(&journal.summary(), PLAIN, None);
    report.lines().find(|line| line.starts_with("Databases")).map(str::to_owned)
}

#[test]
fn however_many_pods_wait_it_is_told_once_for_each_agent() {
    let mut journal = waiting(["laptop", "laptop", "build-7"]);
    journal.after(71_900);
    for lease in [1, 2] {
        journal.warming(lease, made(71.9));
    }
    journal.after(10_000).warming(3, made(82.4)).lease(4, "shop", "laptop");
    journal.warming(4, Warming::Found);
    insta::assert_snapshot!(log(&journal).join("\n"), @r#"
    0:00 setting up test databases once for all pods on laptop
    0:00 setting up test databases once for all pods on build-7
    1:11 test databases made in 1:12 on laptop
    1:21 test databases made in 1:22 on build-7
    "#);
}

#[test]
fn who_watches_sees_what_is_waited_for() {
    let mut journal = waiting(["laptop", "laptop", "laptop"]);
    let state = fold(&journal.entries);
    let now = state.latest + 30_000;
    let frame = drawn(&state, now).join("\n");
    insta::assert_snapshot!(frame + "\n\n" + &beat(&state, now), @r#"
      0:30 ░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 3 tests
    0  shop     30 s  waiting for test databases
    0  blog     30 s  waiting for test databases
    0  mail     30 s  waiting for test databases

      0:30 0 of 3 tests; setting up test databases
    "#);

    journal.after(71_900).warming(1, made(71.9)).up_kept(2, tests("blog"));
    let state = fold(&journal.entries);
    let frame = drawn(&state, state.latest).join("\n");
    insta::assert_snapshot!(frame, @r#"
      1:13 ░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 3 tests
    0  shop        1:14  starting
    0  blog 0/1          running tests
    0  mail        1:14  waiting for test databases
    "#);
}

#[test]
fn a_reason_to_keep_none_is_a_warning_told_once_and_never_red() {
    let mut journal = waiting(["laptop", "laptop", "build-7"]);
    for (lease, reason) in
        [(1, "no space left"), (2, "no space left"), (3, "0002_prices raised\nE")]
    {
        journal.warming(lease, failed(reason));
    }
    for (lease, app) in (1..).zip(APPS) {
        run(&mut journal, lease, app, &[false], 71.9);
    }
    journal.close();
    insta::assert_snapshot!(log(&journal).join("\n"), @r#"
    0:00 setting up test databases once for all pods on laptop
    0:00 setting up test databases once for all pods on build-7
    0:00 ! no test databases are kept, so each pod sets up its own: no space left
    0:00 ! no test databases are kept, so each pod sets up its own: 0002_prices raised E
    "#);
    let summary = journal.summary();
    assert_eq!((summary.exit, summary.incidents.len()), (ExitCode::Green, 2));
    assert!(terminal::report(&summary, PLAIN, None).contains("── Trouble along the way (2) ──"));
    assert_eq!(total(&journal), None);
}

#[test]
fn the_report_says_what_kept_databases_came_to() {
    let mut journal = waiting(["laptop", "laptop", "build-7"]);
    for (lease, app) in (1..).zip(APPS) {
        journal.warming(lease, made(71.9));
        run(&mut journal, lease, app, &[true, true], 0.1);
    }
    journal.close();
    insta::assert_snapshot!(total(&journal).unwrap(), @"Databases: kept, 0.1 s a pod; made in 1:12");
}

#[test]
fn a_database_that_was_not_kept_is_counted_against_its_pod_and_its_app() {
    let mut journal = waiting(["laptop", "laptop", "laptop"]);
    let pods: [(u32, &[bool], f64); 3] =
        [(1, &[true], 0.25), (2, &[true, false], 3.0), (3, &[], 0.0)];
    for ((lease, warm, time), app) in pods.into_iter().zip(APPS) {
        journal.warming(lease, Warming::Found);
        run(&mut journal, lease, app, warm, time);
    }
    journal.close();
    insta::assert_snapshot!(total(&journal).unwrap(), @"Databases: kept in 1 of 2 pods, 0.2 s a pod");

    let document = json::json(&[&journal.summary()]);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let apps = document["runs"][0]["apps"].as_array().unwrap().iter();
    let facts = apps
        .map(|app| format!("{} {} {}", app["app"], app["database_seconds"], app["databases_kept"]));
    insta::assert_snapshot!(facts.collect::<Vec<_>>().join("\n"), @r#"
    "blog" 3.0 false
    "mail" 0.0 null
    "shop" 0.25 true
    "#);
}

#[test]
fn what_a_pod_says_out_of_turn_changes_nothing_that_is_shown() {
    let mut journal = waiting(["laptop", "laptop", "laptop"]);
    journal.warming(1, made(1.0)).up_kept(1, tests("shop"));
    let before = drawn(&fold(&journal.entries), 0);
    journal.warming(1, Warming::Begun).warming(9, made(1.0)).warming(9, failed("x"));
    assert_eq!(drawn(&fold(&journal.entries), 0), before);
    assert!(journal.summary().incidents.is_empty());
}
