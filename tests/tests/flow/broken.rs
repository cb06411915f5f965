//! Projects that cannot be loaded, in whole or in part.

use muletrain_proto::verdict::Verdict;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Verdicts;
use muletrain_tests::oracle::differences;
use muletrain_tests::program::Ended;

use crate::junit::count_cases;

in_both_runtimes!(settings_that_raise_are_one_error, a_module_that_is_no_python_costs_itself);

const PASSES: &str = "
from django.test import SimpleTestCase


class OtherTest(SimpleTestCase):
    def test_passes(self):
        self.assertEqual(1 + 1, 2)
";

/// Runs a project of these files and another app whose test passes; it must end red.
fn run(runtime: &str, files: &[(&str, &str)]) -> (Flow, Ended) {
    let flow = Flow::small(&[files, &[("other/tests.py", PASSES)]].concat());
    let ended = flow.run(runtime, &[]).end();
    ended.expect(1);
    assert!(!ended.stdout.contains("muletrain_harness"), "frames of ours: {}", ended.stdout);
    (flow, ended)
}

fn settings_that_raise_are_one_error(runtime: &str) {
    let settings = [("config/settings.py", "raise RuntimeError('no licence to run')\n")];
    let (flow, ended) = run(runtime, &settings);
    for text in ["config/settings.py\", line 1", "RuntimeError: no licence to run", "RED\n"] {
        assert!(ended.stdout.contains(text), "no {text} in {}", ended.stdout);
    }
    assert_eq!(ended.stdout.matches("RuntimeError: no licence to run").count(), 1);
    assert_eq!(count_cases(&flow.junit()), 1, "however many pods there were");
}

fn a_module_that_is_no_python_costs_itself(runtime: &str) {
    let (flow, ended) = run(runtime, &[("app/tests.py", "def test_nothing(:\n")]);
    assert!(ended.stdout.contains("SyntaxError: "), "{}", ended.stdout);
    let wanted = Verdicts::from([
        ("unittest.loader._FailedTest.app.tests".to_owned(), Verdict::Error),
        ("other.tests.OtherTest.test_passes".to_owned(), Verdict::Passed),
    ]);
    let verdicts = flow.journal().expect("a run leaves its journal").verdicts();
    assert_eq!(differences(&verdicts, &wanted), [""; 0]);
}
