//! What is seen while a run goes on.

use muletrain_proto::id::AppLabel;
use muletrain_proto::journal::{Entry, Record};
use muletrain_proto::outcome::Ending;
use muletrain_proto::plan::{Plan, PlannedApp};
use muletrain_reporter::pure::fold::Fold;
use muletrain_reporter::pure::progress::cells::columns;
use muletrain_reporter::pure::progress::forecast::Forecast;
use muletrain_reporter::pure::progress::frame::{Size, frame};
use muletrain_reporter::pure::progress::{heartbeat, line, planned};
use muletrain_reporter::pure::style::Look;
use muletrain_reporter::pure::text::for_terminal;
use muletrain_reporter::render::terminal::report;
use proptest::prelude::*;

use crate::journal::{Journal, classes, fold, passed, seconds};
use crate::render::PLAIN;
use crate::site;

const USUAL: Size = Size { columns: 99, rows: 24 };

fn forecast(entries: &[Entry]) -> Forecast {
    let mut forecast = Forecast::default();
    for entry in entries {
        forecast.take(&entry.record);
    }
    forecast
}

/// What is drawn of a run of which nothing is expected.
pub(crate) fn drawn(state: &Fold, now: u64) -> Vec<String> {
    frame(state, &Forecast::default(), now, USUAL, PLAIN)
}

/// The sign of life of such a run.
pub(crate) fn beat(state: &Fold, now: u64) -> String {
    heartbeat(state, &Forecast::default(), now, PLAIN)
}

#[test]
fn a_log_gets_a_line_for_what_is_worth_one() {
    let mut state = fold(&[]);
    let mut lines = Vec::new();
    for entry in &site::journal().entries {
        let changes = state.apply(entry);
        lines.extend(changes.iter().filter_map(|one| line(&state, one, PLAIN)));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_terminal_sees_the_state_of_things() {
    let entries = site::journal().entries;
    // The collection, a wait for databases, pods coming up, tests, a crash, a lost agent, the end.
    let moments = [1, 4, 7, 12, 19, 30, 35, 76, entries.len()];
    let frames = moments.map(|end| {
        let (state, forecast) = (fold(&entries[..end]), forecast(&entries[..end]));
        let now = state.latest + 1500;
        let frame = frame(&state, &forecast, now, USUAL, PLAIN).join("\n");
        format!("after {end} records\n{frame}\n{}", heartbeat(&state, &forecast, now, PLAIN))
    });
    insta::assert_snapshot!(frames.join("\n\n"));
}

/// Twelve apps on twelve slots of two agents, some with names that are hard to lay out.
fn crowd() -> Journal {
    let mut journal = Journal::opened();
    let names = ["größe", "日本語のアプリ", "a_very_long_label_of_an_app_that_goes_on", "x"];
    for lease in 1..=12_u32 {
        let name = format!("{}{lease}", names[lease as usize % names.len()]);
        let test = format!("{name}.tests.TestCase.test_👩‍💻_größe_{lease}");
        let inventory = || classes(&name, &[(&format!("{name}.tests.TestCase"), &["test_a"])]);
        let agent = if lease % 2 == 0 { "build-7" } else { "laptop" };
        journal.inventory(inventory()).lease(lease, &name, agent).up(lease, inventory());
        journal.start(lease, &test);
    }
    journal
}

#[test]
fn it_fits_terminals_of_every_size() {
    let journal = crowd();
    let state = fold(&journal.entries);
    let sizes = [(100, 40), (72, 12), (40, 10), (20, 24), (20, 3), (8, 2), (100, 1)];
    let frames = sizes.map(|(columns, rows)| {
        let size = Size { columns, rows };
        let frame = frame(&state, &Forecast::default(), state.latest + 61_000, size, PLAIN);
        format!("{columns} × {rows}\n{}", frame.join("\n"))
    });
    insta::assert_snapshot!(frames.join("\n\n"));
}

#[test]
fn colour_takes_no_room() {
    let journal = crowd();
    let state = fold(&journal.entries);
    let drawn = |look| frame(&state, &Forecast::default(), state.latest, USUAL, look).join("\n");
    let coloured = drawn(Look { color: true, ..PLAIN });
    assert_ne!(coloured, drawn(PLAIN));
    assert_eq!(for_terminal(&coloured), drawn(PLAIN));
}

proptest! {
    #[test]
    fn no_terminal_is_ever_overrun(wide in 0..120_usize, rows in 0..50_usize, end in 0..80_usize) {
        let size = Size { columns: wide, rows };
        let site = site::journal().entries;
        for entries in [&site[..end.min(site.len())], &crowd().entries[..]] {
            let state = fold(entries);
            let lines = frame(&state, &forecast(entries), state.latest + 900, size, PLAIN);
            prop_assert!(lines.len() < rows.max(1), "{} lines in {rows} rows", lines.len());
            for line in &lines {
                prop_assert!(columns(line) <= wide, "{} columns of {wide}: {line:?}", columns(line));
            }
        }
    }
}

fn plan(apps: &[(&str, Option<f64>)], slots: u32) -> Plan {
    let planned = |(app, estimate): &(&str, Option<f64>)| PlannedApp {
        app: AppLabel::new(*app).unwrap(),
        estimate: estimate.map(seconds),
        longest: None,
        test_files: 1,
        reason: String::new(),
    };
    Plan {
        apps: apps.iter().map(planned).collect(),
        slots,
        lower_bound: seconds(if slots > 0 { 30.0 } else { 0.0 }),
    }
}

/// What is left after so many milliseconds more.
fn left(journal: &Journal, after: u64) -> Option<f64> {
    let state: Fold = fold(&journal.entries);
    forecast(&journal.entries).left(&state, state.latest + after).map(|left| left.get().round())
}

#[test]
fn what_is_left_comes_from_the_past_and_from_what_is_done() {
    let tests = ["test_a", "test_b", "test_c", "test_d"];
    let apps = ["big", "small", "new"];
    let inventory = |app: &str| classes(app, &[(&format!("{app}.tests.T"), &tests)]);
    let mut journal = Journal::opened();
    let known = [("big", Some(60.0)), ("small", Some(20.0)), ("new", None)];
    journal.record(Record::Planned { plan: plan(&known, 0) });
    for app in apps {
        journal.inventory(inventory(app));
    }
    journal.record(Record::Planned { plan: plan(&known, 2) });
    // One slot has the largest, the other one the rest; one that never ran is taken for a large one.
    assert_eq!(left(&journal, 0), Some(80.0));
    journal.lease(1, "big", "laptop").lease(2, "small", "laptop");
    assert_eq!(left(&journal, 10_000), Some(70.0));
    // Half of a small app's tests are half of its time.
    journal.after(10_000).up(2, inventory("small"));
    journal.run(2, passed("small.tests.T.test_a", 1.0)).run(2, passed("small.tests.T.test_b", 1.0));
    assert_eq!(left(&journal, 0), Some(70.0));
    // It took half of what was expected, so all of them may.
    journal.run(2, passed("small.tests.T.test_c", 1.0)).run(2, passed("small.tests.T.test_d", 1.0));
    let spent = journal.entries.last().unwrap().at;
    journal.end(2, Ending::Closed);
    assert!(spent > 0 && left(&journal, 0) < Some(60.0), "{:?}", left(&journal, 0));
}

#[test]
fn apps_whose_classes_are_known_are_shared_by_slots() {
    let mut plan = plan(&[("big", Some(60.0)), ("small", Some(20.0))], 4);
    let mut journal = Journal::opened();
    journal.record(Record::Planned { plan: plan.clone() });
    assert_eq!(left(&journal, 0), Some(60.0));
    for (app, longest) in plan.apps.iter_mut().zip([25.0, 5.0]) {
        app.longest = Some(seconds(longest));
    }
    journal.record(Record::Planned { plan: plan.clone() });
    assert_eq!(left(&journal, 0), Some(25.0), "the longest class");
    plan.slots = 2;
    journal.record(Record::Planned { plan });
    assert_eq!(left(&journal, 0), Some(40.0), "all of it on two slots");
}

#[test]
fn without_a_past_the_pace_of_the_tests_tells_after_a_while() {
    let methods: Vec<String> = (0..10).map(|number| format!("test_{number}")).collect();
    let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
    let inventory = || classes("shop", &[("shop.tests.T", &methods)]);
    let mut journal = Journal::opened();
    journal.record(Record::Planned { plan: plan(&[("shop", None)], 1) });
    journal.inventory(inventory()).lease(1, "shop", "laptop").up(1, inventory());
    for method in &methods[..5] {
        assert_eq!(left(&journal, 0), None);
        journal.run(1, passed(&format!("shop.tests.T.{method}"), 1.0));
    }
    let half = left(&journal, 0);
    assert!(half.is_some_and(|left| left > 0.0), "{half:?}");
    journal.stop(muletrain_proto::run::Stop::Interrupted);
    assert_eq!(left(&journal, 0), None);
}

#[test]
fn a_log_begins_with_what_is_planned() {
    let mut journal = Journal::opened();
    journal.record(Record::Planned { plan: plan(&[("big", None)], 0) });
    let mut forecast = Forecast::default();
    assert!(journal.entries.iter().all(|entry| !forecast.take(&entry.record)));
    assert!(forecast.take(&Record::Planned { plan: plan(&[("big", Some(30.0))], 2) }));
    assert!(!forecast.take(&Record::Planned { plan: plan(&[("big", Some(30.0))], 3) }));
    let text = planned(&fold(&journal.entries), &plan(&[("big", Some(30.0))], 2), PLAIN);
    assert_eq!(text, "  0:00 1 app on 2 slots; by past timings at least 30 s");
}

#[test]
fn the_report_tells_how_near_to_what_is_possible_a_run_came() {
    let inventory = || classes("big", &[("big.tests.T", &["test_a"])]);
    let mut journal = Journal::opened();
    journal.record(Record::Planned { plan: plan(&[("big", Some(30.0))], 2) });
    journal.inventory(inventory()).lease(1, "big", "laptop").up(1, inventory());
    let told = |journal: &Journal| {
        let report = report(&journal.summary(), PLAIN, None);
        report.lines().find(|line| line.starts_with("By past")).unwrap_or_default().to_owned()
    };
    assert_eq!(told(&journal), "By past timings, 2 slots take at least 30 s");
    journal.run(1, passed("big.tests.T.test_a", 30.0)).after(3_000).end(1, Ending::Closed).close();
    let text = told(&journal);
    assert!(
        text.starts_with("By past timings, 2 slots take at least 30 s; this run took 1."),
        "{text}"
    );
}
