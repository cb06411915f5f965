//! A scheduler, an agent and whoever hands in runs, each started by itself.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use muletrain_proto::event::Event;
use muletrain_proto::verdict::Verdict;
use muletrain_tests::flow::{Flow, stored_runs};
use muletrain_tests::journal::Journal;
use muletrain_tests::oracle::{self, differences};
use muletrain_tests::program::{Ended, Running};
use muletrain_tests::project;
use rustix::process::Signal;

use crate::junit::count_cases;
use crate::patient;

const APPS: [&str; 4] = ["cart", "orders", "accounts", "blog"];

/// How long what was told to end may take.
const LIMIT: Duration = Duration::from_secs(10);

/// A scheduler that listens, and one agent.
struct Fleet {
    flow: Flow,
    scheduler: Running,
    agent: Running,
}

impl Fleet {
    fn start(flow: Flow) -> Self {
        let scheduler = serve(&flow);
        let agent = start_agent(&flow, "agent", "2");
        Self { flow, scheduler, agent }
    }

    /// Hands in the flow's project.
    fn submit(&self, labels: &[&str]) -> Running {
        let mut command = self.flow.command("muletrain-scheduler");
        command.arg("submit").arg(&self.flow.project).args(labels);
        command.args(["--scheduler", &address(&self.flow), "--runtime", "process", "--junit"]);
        self.flow.start(command.arg(self.flow.junit()))
    }

    /// Asks the scheduler something.
    fn ask(&self, arguments: &[&str]) -> Ended {
        let mut command = self.flow.command("muletrain-scheduler");
        command.args(arguments).args(["--scheduler", &address(&self.flow)]);
        let ended = self.flow.start(&mut command).end();
        ended.expect(0);
        ended
    }

    /// The newest journal that the scheduler keeps.
    fn journal(&self) -> Option<Journal> {
        Journal::read(stored_runs(&served(&self.flow).join("runs")).last()?)
    }

    /// Tells agent and scheduler to end, and sees that they leave nothing.
    fn stop(self) {
        self.agent.signal(Signal::TERM);
        self.agent.end_within(LIMIT).expect(0);
        self.scheduler.signal(Signal::TERM);
        self.scheduler.end_within(LIMIT).expect(0);
        self.flow.is_left_clean(LIMIT);
        assert_eq!(fs::read_dir(self.flow.path("agent/pods")).into_iter().flatten().count(), 0);
    }
}

/// Where the scheduler keeps what it knows.
fn served(flow: &Flow) -> PathBuf {
    flow.path("served")
}

fn address(flow: &Flow) -> String {
    format!("unix:{}", flow.path("scheduler.sock").display())
}

fn serve(flow: &Flow) -> Running {
    let mut command = flow.command("muletrain-scheduler");
    command.args(["serve", "--listen", &address(flow), "--state"]).arg(served(flow));
    let mut scheduler = flow.start(&mut command);
    scheduler.says("listening on ");
    scheduler
}

fn start_agent(flow: &Flow, state: &str, slots: &str) -> Running {
    let mut command = flow.command("muletrain-agent");
    command.args(["run", "--scheduler", &address(flow), "--runtime", "process"]);
    // The host may have an agent already, under the same name.
    flow.start(command.args(["--slots", slots, "--state"]).arg(flow.path(state)))
}

fn finishes(journal: &Journal) -> bool {
    journal.events().any(|(_, event)| matches!(event, Event::Finished(_)))
}

#[test]
fn a_submitted_run_ends_as_one_on_a_laptop() {
    let fleet = Fleet::start(Flow::sample("site"));
    let ended = fleet.submit(&APPS).end();
    ended.expect(1);
    let wanted = oracle::of_apps(oracle::site(), &APPS);
    let journal = fleet.journal().expect("the scheduler keeps it");
    assert_eq!(differences(&journal.verdicts(), &wanted), [""; 0]);
    let copy = fleet.flow.journal().expect("so does who handed it in");
    assert_eq!(copy.text, journal.text);
    assert_eq!(count_cases(&fleet.flow.junit()), wanted.len());

    let list = fleet.ask(&["runs"]).stdout;
    let run = stored_runs(&served(&fleet.flow).join("runs")).pop().unwrap();
    let run = run.file_name().unwrap().to_string_lossy().into_owned();
    assert!(list.starts_with(&run) && list.contains("closed"), "{list}");
    let json: serde_json::Value =
        serde_json::from_str(&fleet.ask(&["runs", "--json"]).stdout).unwrap();
    assert_eq!((&json["run"], &json["state"]), (&run.into(), &"closed".into()));
    assert_eq!(json["tests"], json["settled"]);
    fleet.stop();
}

/// Waits for the file that the other test makes, and fails.
const HASTY: &str = "
import time
from pathlib import Path

from django.test import SimpleTestCase


class HastyTest(SimpleTestCase):
    def test_fails(self):
        while not Path(FILE).exists():
            time.sleep(0.01)
        self.fail()
";

/// Makes the file, and then does not end by itself.
const LENGTHY: &str = "
import time
from pathlib import Path

from django.test import SimpleTestCase


class LengthyTest(SimpleTestCase):
    def test_lasts(self):
        Path(FILE).touch()
        time.sleep(300)

    def test_never_runs(self):
        pass
";

#[test]
fn a_red_test_on_one_agent_ends_what_runs_on_another() {
    let flow = Flow::small(&[]);
    let file = format!("FILE = {:?}\n", flow.path("lasts").display().to_string());
    project::write(&flow.project, "app/tests.py", &format!("{file}{HASTY}"));
    project::write(&flow.project, "other/tests.py", &format!("{file}{LENGTHY}"));
    let scheduler = serve(&flow);
    let agent = start_agent(&flow, "agent", "1");
    let mut command = flow.command("muletrain-agent");
    command.args(["run", "--scheduler", &address(&flow), "--runtime", "process", "--slots", "1"]);
    let name = flow.project.file_name().unwrap();
    let second = flow.start(command.arg("--id").arg(name).arg("--state").arg(flow.path("second")));
    let fleet = Fleet { flow, scheduler, agent };
    let mut submitted = fleet.submit(&["--failfast"]);
    submitted.until("the red test", |_| fleet.journal().filter(finishes));
    let ended = submitted.end_within(LIMIT);
    ended.expect(1);
    let journal = fleet.journal().expect("the scheduler keeps it");
    assert_eq!(journal.agents().len(), 2);
    let verdicts = journal.verdicts();
    for test in ["test_lasts", "test_never_runs"] {
        let verdict = verdicts.get(&format!("other.tests.LengthyTest.{test}"));
        assert_eq!(verdict, Some(&Verdict::NotRun));
    }
    let reason = "2 tests: the run stopped after the first failure";
    assert!(ended.stdout.contains(reason), "{}", ended.stdout);
    second.signal(Signal::TERM);
    second.end_within(LIMIT).expect(0);
    fleet.stop();
}

#[test]
fn what_makes_a_test_fail_is_found_on_a_fleet() {
    let fleet = Fleet::start(Flow::sample("order"));
    let red = "stock.tests.test_zone.ZoneTest.test_rounds_up_by_default";
    fleet.submit(&[]).end().expect(1);
    let found = fleet.submit(&["--isolate", red]).end();
    found.expect(1);
    let told =
        format!("{red} fails only after:\n  stock.tests.test_total.TotalTest.test_rounds_down\n");
    assert!(found.stdout.ends_with(&told), "{}", found.stdout);
    fleet.stop();
}

#[test]
fn a_cancelled_run_is_reported_as_far_as_it_got() {
    let fleet = Fleet::start(patient::flow());
    let mut submitted = fleet.submit(&[]);
    submitted.until("a test that waits", |_| fleet.journal().filter(patient::waits));
    let list = fleet.ask(&["runs"]).stdout;
    assert!(list.contains("running"), "{list}");
    fleet.ask(&["cancel", list.split(' ').next().unwrap()]);
    let ended = submitted.end_within(LIMIT);
    ended.expect(130);
    assert!(ended.stdout.contains("interrupted"), "{}", ended.stdout);
    let verdicts = fleet.journal().expect("the scheduler keeps it").verdicts();
    assert_eq!(verdicts.get(patient::BEFORE), Some(&Verdict::Passed));
    assert_eq!(verdicts.get(patient::WAITING), Some(&Verdict::NotRun));
    fleet.stop();
}

#[test]
fn a_scheduler_that_dies_and_comes_back_loses_nothing() {
    let mut fleet = Fleet::start(Flow::sample("site"));
    let mut submitted = fleet.submit(&APPS);
    submitted.until("a verdict", |_| fleet.journal().filter(finishes));
    fleet.scheduler.signal(Signal::KILL);
    assert_eq!(fleet.scheduler.end().status.code(), None);
    fleet.scheduler = serve(&fleet.flow);
    submitted.end().expect(1);
    let journal = fleet.journal().expect("the scheduler keeps it");
    assert!(journal.is_closed());
    let wanted = oracle::of_apps(oracle::site(), &APPS);
    assert_eq!(differences(&journal.verdicts(), &wanted), [""; 0]);
    assert_eq!(count_cases(&fleet.flow.junit()), wanted.len());
    fleet.stop();
}

#[test]
fn a_plan_is_explained_and_nothing_run() {
    let flow = Flow::sample("site");
    let mut command = flow.command("muletrain-scheduler");
    command.arg("run").arg(&flow.project).args(APPS).args(["--explain", "--runtime", "process"]);
    let ended = flow.start(&mut command).end();
    ended.expect(0);
    insta::assert_snapshot!(ended.stdout, @r"
      1  orders    no history; 4 test files
      2  accounts  no history; 3 test files
      3  cart      no history; 3 test files
      4  blog      no history; 2 test files
    no history yet: the first run will make it
    ");
    assert_eq!(flow.runs().len(), 0);
}
