//! Apps as children of one pod a slot: the verdicts of a serial run, Django loaded once, and no
//! more lost to a crash than in pods of their own.

use std::collections::BTreeSet;
use std::time::Duration;

use muletrain_proto::event::Event;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Journal;
use muletrain_tests::oracle::{self, differences};

/// How long cleaning up may take that begins before the end of a run.
const SOON: Duration = Duration::from_secs(10);

in_both_runtimes!(forked_apps_have_the_verdicts_of_a_serial_run, a_crash_costs_its_test_alone);

fn forked_apps_have_the_verdicts_of_a_serial_run(runtime: &str) {
    let flow = Flow::sample("site");
    flow.run(runtime, &["--isolation", "fork"]).end().expect(1);
    let journal = flow.journal().expect("a run leaves its journal");
    assert!(journal.is_closed());
    assert_eq!(differences(&journal.verdicts(), oracle::site()), [""; 0]);
    let (started, reused) = pods(&journal);
    assert!(started <= 3, "two slots, and one of these may have collected: {started}");
    assert!(reused > started, "{reused} of {} leases", started + reused);
    flow.is_left_clean(SOON);
}

const CRASH: &str = "
import os
from django.test import SimpleTestCase


class CrashTest(SimpleTestCase):
    def test_a(self):
        pass

    def test_b_dies(self):
        os.kill(os.getpid(), 9)

    def test_c(self):
        pass
";

fn a_crash_costs_its_test_alone(runtime: &str) {
    let flow = Flow::small(&[("app/tests.py", CRASH), ("other/tests.py", CRASH)]);
    let ended = flow.run(runtime, &["--isolation", "fork"]).end();
    ended.expect(1);
    let verdicts = flow.journal().expect("a run leaves its journal").verdicts();
    let named = verdicts.iter().map(|(id, verdict)| format!("{id} {verdict}"));
    let wanted = ["app", "other"].into_iter().flat_map(|app| {
        ["test_a passed", "test_b_dies crashed", "test_c passed"]
            .map(|end| format!("{app}.tests.CrashTest.{end}"))
    });
    assert_eq!(named.collect::<BTreeSet<_>>(), wanted.collect());
    assert!(ended.stdout.contains("killed (signal 9)"), "{}", ended.stdout);
    flow.is_left_clean(SOON);
}

/// Pods that were started for a lease, and leases that began in a pod that was there.
fn pods(journal: &Journal) -> (usize, usize) {
    let started = journal.events().filter_map(|(_, event)| match event {
        Event::PodStarted(started) => Some(started.reused),
        _ => None,
    });
    let (reused, started): (Vec<bool>, Vec<bool>) = started.partition(|reused| *reused);
    (started.len(), reused.len())
}
