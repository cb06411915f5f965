//! Limits of a whole run: one of failures ends what runs on other agents at once, whatever those
//! tests do, and one of time shows where they were.

use std::process::Command;
use std::time::Duration;

use muletrain_proto::event::{Event, LimitOf};
use muletrain_proto::id::LeaseId;
use muletrain_proto::journal::{Record, read_entry};
use muletrain_proto::verdict::Verdict;
use muletrain_tests::fleet::Fleet;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Journal;
use muletrain_tests::program::output;

use crate::patient::pod_of;

in_both_runtimes!(
    a_failure_ends_what_runs_elsewhere_within_a_second,
    also_where_commands_follow_the_tests,
    when_the_time_of_a_run_is_up_the_report_shows_where_its_tests_were,
);

/// How long after the failure is recorded the last of the others may end.
const SOON: Duration = Duration::from_secs(1);

const FAILS: &str = "app.tests.HastyTest.test_fails";
const LASTS: &str = "other.tests.LengthyTest.test_lasts";

/// Fails once there is a file.
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

/// Deaf to polite signals, and not alone.
const LENGTHY: &str = "
import signal
import subprocess
import time

from django.test import SimpleTestCase


class LengthyTest(SimpleTestCase):
    def test_lasts(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        subprocess.Popen(['sleep', '60'], start_new_session=True)
        time.sleep(60)

    def test_never_runs(self):
        pass
";

fn a_failure_ends_what_runs_elsewhere_within_a_second(runtime: &str) {
    ends_within_a_second(runtime, "");
}

fn also_where_commands_follow_the_tests(runtime: &str) {
    ends_within_a_second(runtime, "[hooks]\npod_teardown = ['echo over']\n");
}

fn ends_within_a_second(runtime: &str, hooks: &str) {
    let flow = Flow::empty();
    let go = flow.path("go");
    let file = format!("FILE = {:?}\n", go.display().to_string());
    let configuration = format!(
        "[image]\nbase = 'muletrain-test-base:bookworm'\n\
         install = ['pip install -r requirements.txt']\n[run]\nmax_failures = 1\n{hooks}"
    );
    let files = [
        ("muletrain.toml", configuration.as_str()),
        ("app/tests.py", &format!("{file}{HASTY}")),
        ("other/tests.py", LENGTHY),
    ];
    muletrain_tests::project::small(&files, &flow.project);
    let fleet = match runtime {
        "docker" => Fleet::of_single_pods(flow, &[None, None]),
        _ => Fleet::of_processes(flow, 2),
    };
    let mut submitted = fleet.submit();
    let pod = submitted.until("both tests", |_| {
        let journal = fleet.flow.journal().filter(|journal| journal.has_started(LASTS))?;
        pod_of(&journal, FAILS)
    });
    let go = go.display();
    let touch = format!("mkdir -p $(dirname {go}) && touch {go}");
    match runtime {
        "docker" => output(Command::new("docker").args(["exec", &pod, "sh", "-c", &touch])),
        _ => output(Command::new("sh").args(["-c", &touch])),
    };
    submitted.end().expect(1);
    let journal = fleet.flow.journal().expect("whoever hands a run in keeps its journal");
    assert_eq!(journal.agents().len(), 2);
    assert_eq!(journal.verdicts().get(LASTS), Some(&Verdict::NotRun));
    let took = took(&journal);
    assert!(took < SOON, "the others ended {took:?} after the failure:\n{}", journal.text);
    fleet.stop();
}

/// Time from the record of the failure to that of the last event of any other lease.
fn took(journal: &Journal) -> Duration {
    let entries: Vec<_> = journal.text.lines().filter_map(|line| read_entry(line).ok()).collect();
    let failure = entries.iter().find_map(|entry| match &entry.record {
        Record::Observed { lease, event: Event::Finished(finished), .. } => {
            (finished.test.as_str() == FAILS).then_some((entry.at, *lease))
        }
        _ => None,
    });
    let (at, failed): (u64, LeaseId) = failure.expect("the failure is recorded");
    let others = entries.iter().filter_map(|entry| match &entry.record {
        Record::Observed { lease, .. } if *lease != failed => Some(entry.at),
        _ => None,
    });
    Duration::from_millis(others.max().expect("there are others").saturating_sub(at))
}

const HANGS: &str = "app.tests.HungTest.test_hangs";
const FOLLOWS: &str = "app.tests.HungTest.test_never_runs";

const HUNG: &str = "
import time

from django.test import SimpleTestCase


def waits_for_nothing():
    time.sleep(600)


class HungTest(SimpleTestCase):
    def test_hangs(self):
        print('about to wait')
        waits_for_nothing()

    def test_never_runs(self):
        pass
";

fn when_the_time_of_a_run_is_up_the_report_shows_where_its_tests_were(runtime: &str) {
    let flow = Flow::small(&[("app/tests.py", HUNG)]);
    let ended = flow.run(runtime, &["--timeout", "20s"]).end();
    ended.expect(1);
    let journal = flow.journal().expect("a run leaves its journal");
    let told = journal.events().find_map(|(_, event)| match event {
        Event::TimedOut(timed_out) => Some(timed_out),
        _ => None,
    });
    let told = told.unwrap_or_else(|| panic!("no pod says where it was:\n{}", journal.text));
    assert_eq!((told.test.as_str(), told.limit_of), (HANGS, LimitOf::Run));
    assert!(told.stacks.contains("in waits_for_nothing"), "{}", told.stacks);
    assert_eq!(told.output.text, "about to wait\n");
    for shown in ["the run's time limit of 20 s was up", "in waits_for_nothing", "about to wait"] {
        assert!(ended.stdout.contains(shown), "not {shown}: {}", ended.stdout);
    }
    let verdicts = journal.verdicts();
    assert_eq!(verdicts.get(HANGS), Some(&Verdict::TimedOut));
    assert_eq!(verdicts.get(FOLLOWS), Some(&Verdict::NotRun));
    flow.is_left_clean(Duration::from_secs(10));
}
