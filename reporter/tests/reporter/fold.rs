//! What holds for every journal.

use std::collections::BTreeSet;

use muletrain_proto::event::{Event, Finished, Warming};
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::LeaseId;
use muletrain_proto::inventory::Inventory;
use muletrain_proto::journal::{Entry, Record};
use muletrain_proto::outcome::{Death, Ending, Failure, Output};
use muletrain_proto::run::Stop;
use muletrain_proto::verdict::Verdict;
use muletrain_reporter::pure::summary::Summary;
use muletrain_reporter::render::{json, junit, terminal};
use proptest::prelude::*;

use crate::journal::{Journal, classes, databases, failure, fold, passed, printed, seconds, test};
use crate::render::{PLAIN, assert_well_formed};

const METHODS: [&str; 5] = ["test_a", "test_b", "test_c", "test_d", "test_e"];

/// A step of a run, without regard to whether a run could ever take it.
#[derive(Debug, Clone)]
enum Step {
    Lease(u32, bool),
    Event(u32, Event),
    Settled(Record),
    Lost(u32),
    Inventory,
    Stopping(Stop),
    Closed,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1..4_u32, any::<bool>()).prop_map(|(lease, blog)| Step::Lease(lease, blog)),
        8 => (1..4_u32, event()).prop_map(|(lease, event)| Step::Event(lease, event)),
        2 => settled().prop_map(Step::Settled),
        1 => (1..4_u32).prop_map(Step::Lost),
        1 => Just(Step::Inventory),
        1 => stop().prop_map(Step::Stopping),
        1 => Just(Step::Closed),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (test_id(), tries())
            .prop_map(|(test, r#try)| Event::Started { test: self::test(&test), r#try }),
        (test_id(), tries(), any_verdict(), words()).prop_map(|(test, r#try, verdict, words)| {
            let (reason, failures, output) = words;
            let passed = passed(&test, 0.5);
            Event::Finished(Finished { r#try, verdict, reason, failures, output, ..passed })
        }),
        proptest::option::of(test_id()).prop_map(|running| {
            Event::Ended(Ending::Crashed(Death {
                running: running.map(|id| test(&id)),
                status: Some(0),
                signal: None,
                memory_limit: None,
                reason: "ended".to_owned(),
                output: Output::default(),
                stderr: String::new(),
            }))
        }),
        warming().prop_map(Event::Warming),
        (proptest::collection::vec(any::<bool>(), 0..3), 0.0..f64::MAX)
            .prop_map(|(warm, time)| Event::Ready(databases(&warm, time))),
        Just(Event::Ended(Ending::Closed)),
        Just(Event::Ended(Ending::Infrastructure { reason: "no disk".to_owned() })),
        Just(Event::Planned(muletrain_proto::event::Planned {
            inventory: inventory(),
            missing: Vec::new(),
            seconds: seconds(0.5),
        })),
    ]
}

/// What a test has to say, which may have nothing to do with how it ended.
fn words() -> impl Strategy<Value = (Option<String>, Vec<Failure>, Output)> {
    let exceptions = vec!["AssertionError", "shop.Wrong", "muletrain.Crashed"];
    let failure = proptest::sample::select(exceptions)
        .prop_map(|exception| failure(exception, "1 != <2>\n", "shop/tests.py\", line 7"));
    (
        proptest::option::weighted(0.2, Just("no \"network\"".to_owned())),
        proptest::collection::vec(failure, 0..3),
        prop_oneof![3 => Just(Output::default()), 1 => Just(printed("a\tb\u{1b}[1m\n"))],
    )
}

fn warming() -> impl Strategy<Value = Warming> {
    prop_oneof![
        Just(Warming::Begun),
        Just(Warming::Found),
        (0.0..f64::MAX).prop_map(|time| Warming::Made { seconds: seconds(time) }),
        Just(Warming::Failed { reason: "no space left".to_owned() }),
    ]
}

fn settled() -> impl Strategy<Value = Record> {
    let verdict =
        prop_oneof![Just(Verdict::Crashed), Just(Verdict::TimedOut), Just(Verdict::NotRun)];
    (test_id(), tries(), verdict, 1..4_u32, any::<bool>()).prop_map(
        |(test, r#try, verdict, lease, lost)| Record::Settled {
            test: self::test(&test),
            r#try,
            verdict,
            reason: "so it is".to_owned(),
            lease: Some(LeaseId(lease)),
            lost,
        },
    )
}

fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![
        Just(Stop::Interrupted),
        Just(Stop::CannotBoot),
        Just(Stop::FailureLimit { failures: 1 }),
        Just(Stop::Infrastructure { reason: "no agent".to_owned() }),
    ]
}

/// Mostly tests of the inventory, sometimes one that it does not know.
fn test_id() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => proptest::sample::select(METHODS.to_vec()).prop_map(|method| format!("shop.tests.T.{method}")),
        1 => proptest::sample::select(vec!["x", "a.b", ".", "é.ü.ß"]).prop_map(str::to_owned),
    ]
}

fn tries() -> impl Strategy<Value = u32> {
    1..3_u32
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    proptest::sample::select(Verdict::ALL.to_vec())
}

fn inventory() -> Inventory {
    classes("shop", &[("shop.tests.T", &METHODS)])
}

pub(crate) fn journal() -> impl Strategy<Value = Journal> {
    proptest::collection::vec(step(), 0..40).prop_map(|steps| {
        let mut journal = Journal::opened();
        for step in steps {
            journal.after(10);
            match step {
                Step::Lease(lease, blog) => {
                    journal.lease(lease, if blog { "blog" } else { "shop" }, "laptop")
                }
                Step::Event(lease, event) => journal.event(lease, event),
                Step::Settled(record) => journal.record(record),
                Step::Lost(lease) => journal.record(Record::LeaseLost {
                    lease: LeaseId(lease),
                    reason: "silence".to_owned(),
                }),
                Step::Inventory => journal.inventory(inventory()),
                Step::Stopping(stop) => journal.stop(stop),
                Step::Closed => journal.close(),
            };
        }
        journal
    })
}

fn summary(entries: &[Entry]) -> Summary {
    fold(entries).finish()
}

proptest! {
    #[test]
    fn every_test_is_told_once_and_the_counts_add_up(journal in journal()) {
        let summary = journal.summary();
        let told: BTreeSet<_> = summary.tests.iter().map(|test| &test.id).collect();
        prop_assert_eq!(told.len(), summary.tests.len());
        prop_assert_eq!(summary.counts.tests() as usize, summary.tests.len());
        let of_apps: u32 = summary.apps.iter().map(|app| app.counts.tests()).sum();
        prop_assert_eq!(of_apps, summary.counts.tests());
        if journal.entries.iter().any(|entry| matches!(entry.record, Record::Inventory { .. })) {
            for method in METHODS {
                let id = test(&format!("shop.tests.T.{method}"));
                prop_assert!(told.contains(&id));
            }
        }
    }

    #[test]
    fn every_rendering_takes_every_journal(journal in journal()) {
        let summary = journal.summary();
        assert_well_formed(&junit::junit(std::slice::from_ref(&summary)));
        let report = terminal::report(&summary, PLAIN, None);
        prop_assert!(report.contains("20260101-120000-k3f9"));
        let document: serde_json::Value =
            serde_json::from_str(&json::json(&[&summary])).unwrap();
        prop_assert_eq!(document["exit_code"].as_u64(), Some(summary.exit.status().into()));
    }

    #[test]
    fn entries_that_come_twice_change_nothing(
        journal in journal(),
        again in proptest::collection::vec(any::<proptest::sample::Index>(), 0..10),
    ) {
        let mut entries = journal.entries.clone();
        for index in again {
            // A repeated entry comes after its first: anywhere behind it.
            let from = index.index(entries.len());
            let to = from + 1 + index.index(entries.len() - from);
            entries.insert(to, entries[from].clone());
        }
        prop_assert_eq!(summary(&entries), journal.summary());
    }

    #[test]
    fn what_has_not_closed_is_never_green(journal in journal()) {
        let open = |entry: &&Entry| entry.record != Record::Closed;
        let entries: Vec<Entry> = journal.entries.iter().take_while(open).cloned().collect();
        prop_assert!(summary(&entries).exit >= ExitCode::Incomplete);
    }

    #[test]
    fn green_means_that_every_test_is_well(journal in journal()) {
        let summary = journal.summary();
        if summary.exit == ExitCode::Green {
            let well = |verdict: Verdict| !verdict.is_red() && verdict != Verdict::NotRun;
            prop_assert!(summary.tests.iter().all(|test| well(test.outcome.verdict)));
            prop_assert!(summary.problems.is_empty());
        }
    }

    #[test]
    fn a_crash_stays(journal in journal()) {
        let summary = journal.summary();
        for test in &summary.tests {
            if test.others.iter().any(|one| one.verdict == Verdict::Crashed) {
                prop_assert_eq!(test.outcome.verdict, Verdict::Crashed);
            }
        }
    }
}

#[test]
fn a_gap_is_told() {
    let mut journal = Journal::opened();
    journal.inventory(inventory()).close();
    let mut entries = journal.entries.clone();
    entries.remove(1);
    let summary = summary(&entries);
    assert_eq!(summary.exit, ExitCode::Incomplete);
    assert_eq!(summary.unfinished[0], "records 2 to 2 are missing");
}
