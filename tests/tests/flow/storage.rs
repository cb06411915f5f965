//! Runs that are over: kept, packed, removed, run again; and runs that somebody else looks at.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use muletrain_tests::flow::Flow;
use rustix::process::Signal;

use crate::patient;

/// A test that fails, one that passes, and a file that every pod leaves behind.
const TESTS: &str = "
from pathlib import Path

from django.test import SimpleTestCase


class CartTest(SimpleTestCase):
    def test_total(self):
        Path('shot.png').write_bytes(bytes(8192))
        self.assertEqual(1, 2)

    def test_taxes(self):
        self.assertEqual(1, 1)
";

const CONFIGURATION: &str = "
[image]
base = 'muletrain-test-base:bookworm'
install = ['pip install -r requirements.txt']
[run]
artifacts = ['shot.png']
[results]
keep_runs = 2
";

const DAY: u64 = 24 * 60 * 60;

/// The same run once more, under another name and as if it had been so many days ago.
fn copy(run: &Path, name: &str, days: u64) -> PathBuf {
    let old = run.file_name().unwrap().to_str().unwrap();
    let copy = run.with_file_name(name);
    fs::create_dir(&copy).unwrap();
    let text = fs::read_to_string(run.join("journal.jsonl")).unwrap().replace(old, name);
    fs::write(copy.join("journal.jsonl"), text).unwrap();
    let then = SystemTime::now() - Duration::from_secs(days * DAY);
    let file = File::options().append(true).open(copy.join("journal.jsonl")).unwrap();
    file.set_modified(then).unwrap();
    copy
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn old_runs_go_older_journals_are_packed_and_serve_as_before() {
    let flow = Flow::small(&[("app/tests.py", TESTS), ("muletrain.toml", CONFIGURATION)]);
    flow.run("process", &[]).end().expect(1);
    let first = flow.runs().remove(0);
    copy(&first, "20200101-000000", 40);
    let packed = copy(&first, "20200102-000000", 3);
    fs::create_dir(first.with_file_name("0-notes")).unwrap();
    flow.run("process", &[]).end().expect(1);
    let second = flow.runs().pop().unwrap();

    assert!(!first.with_file_name("20200101-000000").exists(), "it was too old");
    assert!(first.with_file_name("0-notes").is_dir(), "it is no run");
    assert_eq!(names(&packed), ["journal.jsonl"], "three stay as they are");
    flow.run("process", &["--rerun", "20200102"]).end().expect(1);
    assert_eq!(names(&packed), ["journal.jsonl.gz"]);

    let again = flow.run("process", &["--rerun", "20200102"]).end();
    again.expect(1);
    assert!(again.stderr.contains("what run 20200102-000000 left"), "{}", again.stderr);
    let report = flow.start(flow.command("muletrain-reporter").arg("report").arg(&packed)).end();
    report.expect(1);
    assert!(report.stdout.contains("FAILED app.tests.CartTest.test_total"), "{}", report.stdout);

    let shot = |run: &Path| fs::metadata(run.join("artifacts/app/shot.png")).unwrap();
    assert_eq!(shot(&first).ino(), shot(&second).ino(), "one file with two names");
    assert_eq!(shot(&first).len(), 8192);
}

#[test]
fn who_looks_on_sees_the_end_and_can_leave_before() {
    let flow = patient::flow();
    let mut run = flow.run("process", &[]);
    run.until("a test that waits", |_| flow.journal().filter(patient::waits));
    let watch = || {
        let mut command = flow.command("muletrain-reporter");
        flow.start(command.arg("watch").current_dir(&flow.project))
    };
    let mut leaving = watch();
    leaving.says("on 2 slots");
    leaving.signal(Signal::INT);
    let left = leaving.end();
    left.expect(130);
    assert!(left.stderr.contains("left; the run goes on"), "{}", left.stderr);

    let mut staying = watch();
    staying.says("on 2 slots");
    assert!(!flow.journal().unwrap().is_closed(), "nobody was interrupted but who looked on");
    run.signal(Signal::INT);
    let (run, watched) = (run.end(), staying.end());
    run.expect(130);
    watched.expect(130);
    let totals =
        |text: &str| text.lines().find(|line| line.starts_with("3 tests")).map(str::to_owned);
    assert!(totals(&run.stdout).is_some(), "{}", run.stdout);
    assert_eq!(totals(&run.stdout), totals(&watched.stdout));
}
