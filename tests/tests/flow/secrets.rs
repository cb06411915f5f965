//! Values of `[env] pass`: the tests see them, and nobody else does.

use std::fs;
use std::path::Path;

use muletrain_proto::journal::Record;
use muletrain_proto::snapshot::Content;
use muletrain_proto::verdict::Verdict;
use muletrain_tests::engine::docker;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Journal;
use rustix::process::Signal;

use crate::patient::{self, BEFORE};

const SECRET: &str = "canary-5f1c-nobody-sees-it";

const CONFIGURATION: &str = "\
[image]
base = 'muletrain-test-base:bookworm'
install = ['pip install -r requirements.txt']

[env]
pass = ['PAYMENT_KEY']
set = { MODE = 'test' }
";

/// The first test sees the secret, which it knows by its digest, and nothing else of the user's
/// environment. The second one waits, so that its pod can be looked at.
const TESTS: &str = "
import hashlib
import os
import time

from django.test import SimpleTestCase


class PatientTest(SimpleTestCase):
    def test_a_passes(self):
        digest = hashlib.sha256(os.environ['PAYMENT_KEY'].encode()).hexdigest()
        self.assertEqual(digest[:16], 'f9e6976e704e2551')
        self.assertEqual(os.environ['MODE'], 'test')
        self.assertNotIn('OTHER_KEY', os.environ)

    def test_b_waits(self):
        time.sleep(300)
";

in_both_runtimes!(reach_the_tests_and_nothing_else);

fn reach_the_tests_and_nothing_else(runtime: &str) {
    let flow = Flow::small(&[("app/tests.py", TESTS), ("muletrain.toml", CONFIGURATION)]);
    let mut command = flow.run_command(runtime, &["-vv"]);
    let mut run = flow.start(command.env("PAYMENT_KEY", SECRET).env("OTHER_KEY", "other"));
    let journal = run.until("a test that waits", |_| flow.journal().filter(patient::waits));
    assert_eq!(journal.verdicts().get(BEFORE), Some(&Verdict::Passed));
    assert_absent("the processes", &flow.alive().join("\n"));
    match content(&journal) {
        Content::Docker { image, .. } => {
            let pod = patient::pod_of(&journal, patient::WAITING).unwrap();
            assert_absent("the container", &docker(&["inspect", &pod]));
            assert_absent("the image", &docker(&["inspect", image]));
            assert_absent("its history", &docker(&["history", "--no-trunc", image]));
        }
        Content::Process { root } => assert_absent_below(Path::new(root)),
    }
    run.signal(Signal::INT);
    run.end().expect(130);
    assert!(flow.junit().exists());
    // Reports, what the programs said, journal, history, state.
    assert_absent_below(flow.project.parent().unwrap());
}

fn content(journal: &Journal) -> &Content {
    let opened = journal.records.iter().find_map(|record| match record {
        Record::Opened { snapshot, .. } => Some(&snapshot.content),
        _ => None,
    });
    opened.expect("a journal begins with what was asked for")
}

#[track_caller]
fn assert_absent(place: &str, text: &str) {
    assert!(!text.is_empty(), "nothing is known of {place}");
    assert!(!text.contains(SECRET), "the secret is in {place}: {text}");
}

#[track_caller]
fn assert_absent_below(path: &Path) {
    let metadata = fs::symlink_metadata(path).unwrap();
    if metadata.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| assert_absent_below(&entry.unwrap().path()));
    } else if metadata.is_file() {
        let bytes = fs::read(path).unwrap();
        let found = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        assert!(!found, "the secret is in {}", path.display());
    }
}
