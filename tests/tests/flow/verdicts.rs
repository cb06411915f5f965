//! The sample site: the same verdicts as a serial run, and the same report whenever it is made.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use muletrain_proto::event::{Event, PodStarted};
use muletrain_proto::id::LeaseId;
use muletrain_proto::journal::Record;
use muletrain_proto::lease::Work;
use muletrain_proto::plan::{Plan, PlannedApp};
use muletrain_proto::verdict::Verdict;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::{Journal, Verdicts};
use muletrain_tests::oracle::{self, differences};
use muletrain_tests::project::sample;
use serde_json::Value;

use crate::junit::count_cases;

/// How long cleaning up may take that begins before the end of a run.
const SOON: Duration = Duration::from_secs(10);

in_both_runtimes!(equal_those_of_a_serial_run);

fn equal_those_of_a_serial_run(runtime: &str) {
    let flow = Flow::sample("site");
    let ended = flow.run(runtime, &[]).end();
    ended.expect(1);
    let journal = flow.journal().expect("a run leaves its journal");
    assert!(journal.is_closed());
    assert!(collects(&journal), "nothing is known of a new project");
    starts_a_pod_for_each_lease(&journal);
    let verdicts = journal.verdicts();
    assert_eq!(differences(&verdicts, oracle::site()), [""; 0]);
    assert_eq!(differences(&reported(&flow), oracle::site()), [""; 0]);
    assert_eq!(count_cases(&flow.junit()), verdicts.len());
    report_again(&flow, &ended.stdout);
    flow.is_left_clean(SOON);
    if runtime == "process" {
        run_again(&flow);
    }
}

/// One pod, which is new, for the collection and for each lease of an app.
fn starts_a_pod_for_each_lease(journal: &Journal) {
    let mut pods: BTreeMap<LeaseId, Vec<&PodStarted>> = BTreeMap::new();
    for (lease, event) in journal.events() {
        if let Event::PodStarted(started) = event {
            pods.entry(lease).or_default().push(started);
        }
    }
    assert!(pods.values().all(|pods| matches!(pods[..], [pod] if !pod.reused)), "{pods:?}");
    assert_eq!(pods.len(), journal.leased().count());
    let apps: BTreeSet<_> = journal.leased().filter_map(Work::app).collect();
    assert!(apps.len() > 2 && pods.len() > apps.len(), "{apps:?}");
}

/// What the report of the stored run says of each test.
fn reported(flow: &Flow) -> Verdicts {
    let mut command = flow.command("muletrain-reporter");
    command.arg("report").args(flow.runs()).arg("--json");
    let ended = flow.start(&mut command).end();
    ended.expect(1);
    let report: Value = serde_json::from_str(&ended.stdout).expect("--json prints JSON");
    let run = &report["runs"][0];
    let list = |name: &str, verdict: &str| {
        let entries = run[name].as_array().expect("a report has lists").iter();
        let read = |entry: &Value| {
            let id = entry["id"].as_str().expect("a test has an id").to_owned();
            let verdict = serde_json::from_value(entry[verdict].clone());
            (id, verdict.expect("the names are those of the journal"))
        };
        entries.map(read).collect::<Vec<_>>()
    };
    list("tests", "outcome").into_iter().chain(list("problems", "verdict")).collect()
}

/// A report of the stored run is that of the live one, byte for byte.
fn report_again(flow: &Flow, live: &str) {
    let again = flow.path("again.xml");
    let mut command = flow.command("muletrain-reporter");
    command.arg("report").args(flow.runs()).arg("--junit").arg(&again);
    let ended = flow.start(&mut command).end();
    ended.expect(1);
    assert_eq!(ended.stdout, live);
    assert!(fs::read(flow.junit()).unwrap() == fs::read(again).unwrap(), "JUnit differs");
}

/// Later runs of the same snapshot start with what took longest, and collect nothing they know.
fn run_again(flow: &Flow) {
    const APPS: [&str; 3] = ["accounts", "cart", "reports"];
    for is_known in [false, true] {
        flow.run("process", &APPS).end().expect(1);
        let journal = flow.journal().expect("a run leaves its journal");
        assert_eq!(collects(&journal), !is_known);
        let wanted = oracle::of_apps(oracle::site(), &APPS);
        assert_eq!(differences(&journal.verdicts(), &wanted), [""; 0]);
        let plan = first_plan(&journal);
        let mut reasons = plan.apps.iter().map(|app| app.reason.as_str());
        assert!(reasons.all(|reason| reason.starts_with("took ")), "{plan:?}");
        assert!(plan.apps.is_sorted_by(|one, next| one.estimate >= next.estimate), "{plan:?}");
        let leased: Vec<_> = journal.leased().filter_map(Work::app).collect();
        let planned: Vec<_> = plan.apps.iter().map(|PlannedApp { app, .. }| app).collect();
        assert_eq!(leased, planned, "apps start in the order of the plan");
    }
    assert_eq!(flow.runs().len(), 3);
}

fn collects(journal: &Journal) -> bool {
    let collections = journal.leased().any(|work| matches!(work, Work::Collect { .. }));
    let remembered = journal
        .records
        .iter()
        .any(|record| matches!(record, Record::Inventory { remembered: true, .. }));
    assert_ne!(collections, remembered, "an inventory comes from one place");
    collections
}

fn first_plan(journal: &Journal) -> &Plan {
    let plan = journal.records.iter().find_map(|record| match record {
        Record::Planned { plan } => Some(plan),
        _ => None,
    });
    plan.expect("every run has a plan")
}

#[test]
fn of_the_serial_run_are_those_the_site_was_written_for() {
    let text = fs::read_to_string(sample("site").join("red.json")).unwrap();
    let red: Verdicts = serde_json::from_str(&text).unwrap();
    let green = [Verdict::Passed, Verdict::Skipped, Verdict::ExpectedFailure];
    let found = oracle::site().iter().filter(|(_, verdict)| !green.contains(verdict));
    let found = found.map(|(id, verdict)| (id.clone(), *verdict)).collect();
    assert_eq!(differences(&found, &red), [""; 0]);
}
