//! Tests that misbehave in every way that does not end their process, and some that do: each has
//! its verdict, and those after it do not notice.

use std::fs;
use std::time::Duration;

use muletrain_proto::event::Event;
use muletrain_proto::verdict::Verdict;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::{Journal, Verdicts};
use muletrain_tests::oracle::differences;
use serde_json::Value;

use crate::junit::count_cases;

in_both_runtimes!(rude_tests_have_their_verdicts_and_cost_nobody_else);

/// How long cleaning up may take that begins before the end of a run.
const SOON: Duration = Duration::from_secs(10);

/// Those that do not pass.
const OTHERS: [(&str, Verdict); 6] = [
    ("ends.tests.EndsTest.test_a_exits", Verdict::Crashed),
    ("ends.tests.EndsTest.test_b_interrupts", Verdict::Error),
    ("ends.tests.EndsTest.test_c_overflows_the_stack", Verdict::Crashed),
    // Nobody says what became of it.
    ("patches.tests.RunTest.test_d_is_not_run", Verdict::Skipped),
    ("rude.tests.RaisesTest.test_a_exits", Verdict::Error),
    ("rude.tests.RaisesTest.test_b_never_returns", Verdict::Error),
];

/// Names that no text format likes.
const NAMES: [&str; 4] = [
    "test_'single' and \"double\"",
    "test_with\na line\r\nand another",
    "test_🐴_<b>&amp;]]>",
    "test_\u{1b}[31mred",
];

fn rude_tests_have_their_verdicts_and_cost_nobody_else(runtime: &str) {
    let flow = Flow::sample("hostile");
    let json = flow.path("report.json");
    let mut command = flow.run_command(runtime, &[]);
    let ended = flow.start(command.arg("--report-json").arg(&json)).end();
    ended.expect(1);
    let journal = flow.journal().expect("a run leaves its journal");
    assert!(journal.is_closed());
    let verdicts = journal.verdicts();
    let mut wanted: Verdicts = verdicts.keys().map(|id| (id.clone(), Verdict::Passed)).collect();
    wanted.extend(OTHERS.map(|(id, verdict)| (id.to_owned(), verdict)));
    wanted.extend(NAMES.map(|name| (format!("rude.tests.NamesTest.{name}"), Verdict::Passed)));
    assert_eq!(differences(&verdicts, &wanted), [""; 0]);
    assert_eq!(verdicts.len(), 32);

    let report: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let tests = report["runs"][0]["tests"].as_array().unwrap();
    assert_eq!(tests.len(), verdicts.len());
    for test in tests {
        let seconds = test["seconds"].as_f64().unwrap_or(-1.0);
        assert!((0.0..30.0).contains(&seconds), "{test}: no test took so long");
    }
    assert_eq!(cases_of_tests(&flow, &report), verdicts.len());
    for control in ['\u{1b}', '\u{7}', '\0'] {
        assert!(!ended.stdout.contains(control), "{control:?} drives a terminal");
    }
    is_kept_bounded(&journal);
    flow.is_left_clean(SOON);
}

/// Cases in JUnit, without what went wrong outside of tests.
fn cases_of_tests(flow: &Flow, report: &Value) -> usize {
    count_cases(&flow.junit()) - report["runs"][0]["problems"].as_array().map_or(0, Vec::len)
}

/// Head and tail of what was printed, how much there was, and nothing of other tests.
fn is_kept_bounded(journal: &Journal) {
    let printed = |name: &str| {
        let of_test = journal.events().find_map(|(_, event)| match event {
            Event::Finished(finished) if finished.test.as_str().ends_with(name) => {
                Some(finished.output.clone())
            }
            _ => None,
        });
        of_test.unwrap_or_else(|| panic!("{name} has finished"))
    };
    for (name, bytes) in [("a_prints_200_megabytes", 200_000_000), ("without_an_end", 16_000_000)] {
        let output = printed(name);
        assert!(output.omitted > bytes, "{} of {name}", output.omitted);
        assert!(output.text.len() < 80_000, "{} of {name}", output.text.len());
    }
    assert!(printed("c_prints_no_text").text.contains('\u{fffd}'));
    assert_eq!(printed("PrintsTest.test_d_after").text, "printed last\n");
    assert_eq!(printed("b_prints_after_that").text, "printed after closing\n");
}
