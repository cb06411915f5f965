//! What several results say together: `compare`, `slowest`, `flaky`, `history`, `merge`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use muletrain_proto::event::Finished;
use muletrain_proto::outcome::Ending;
use serde_json::Value;

use crate::dialects::dialect;
use crate::journal::{Journal, classes, failed, failure, passed};

fn reporter(arguments: &[&str], paths: &[PathBuf]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muletrain-reporter"))
        .args(arguments)
        .args(paths)
        .env_clear()
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A report with a test for each: a name, its time, and whether it fails.
fn report(folder: &Path, name: &str, tests: &[(&str, f64, bool)]) -> PathBuf {
    let case = |(name, time, red): &(&str, f64, bool)| {
        let inner = if *red { "<failure/>" } else { "" };
        format!("<testcase classname='T' name='{name}' time='{time}'>{inner}</testcase>")
    };
    let path = folder.join(name);
    let cases: String = tests.iter().map(case).collect();
    std::fs::write(&path, format!("<testsuite name='s'>{cases}</testsuite>")).unwrap();
    path
}

#[test]
fn a_comparison_tells_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let steady: Vec<(String, f64)> =
        (0..12).map(|number| (format!("steady{number:02}"), 1.0)).collect();
    let both = |pace: f64, more: &[(&'static str, f64, bool)]| -> Vec<(String, f64, bool)> {
        let steady = steady.iter().map(|(name, time)| (name.clone(), time * pace, false));
        steady
            .chain(more.iter().map(|(name, time, red)| ((*name).to_owned(), *time, *red)))
            .collect()
    };
    let write = |name: &str, tests: Vec<(String, f64, bool)>| {
        let tests: Vec<(&str, f64, bool)> =
            tests.iter().map(|(name, time, red)| (name.as_str(), *time, *red)).collect();
        report(folder.path(), name, &tests)
    };
    let before = write(
        "before.xml",
        both(
            1.0,
            &[
                ("breaks", 0.1, false),
                ("mends", 0.1, true),
                ("stays", 0.1, true),
                ("goes", 0.1, false),
                ("crawls", 1.0, false),
                ("jitters", 0.01, false),
            ],
        ),
    );
    // The second host takes twice as long for everything, which makes no test slower.
    let after = write(
        "after.xml",
        both(
            2.0,
            &[
                ("breaks", 0.1, true),
                ("mends", 0.1, false),
                ("stays", 0.1, true),
                ("comes", 0.1, false),
                ("comes red", 0.1, true),
                ("crawls", 9.0, false),
                ("jitters", 0.1, false),
            ],
        ),
    );
    let output = reporter(&["compare"], &[before.clone(), after.clone()]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(out(&output));
    let document = json(&reporter(&["compare", "--json"], &[before.clone(), after.clone()]));
    assert_eq!(document["muletrain_comparison"], 1);
    assert_eq!(document["slower"].as_array().unwrap().len(), 1);
    let green = report(folder.path(), "green.xml", &[("a", 1.0, false)]);
    let same = reporter(&["compare"], &[green.clone(), green]);
    assert_eq!((same.status.code(), out(&same).as_str()), (Some(0), "Nothing changed.\n"));
    let missing = reporter(&["compare"], &[before, folder.path().join("none.xml")]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn a_comparison_with_a_damaged_result_is_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let before = report(folder.path(), "before.xml", &[("a", 1.0, false)]);
    let after = folder.path().join("after.xml");
    std::fs::write(&after, "<testsuite name='s'><testcase classname='T' name='a'/>").unwrap();
    assert_eq!(reporter(&["compare"], &[before, after]).status.code(), Some(3));
}

#[test]
fn the_slowest_are_added_up_over_what_is_asked_for() {
    let paths = [dialect("surefire.xml"), dialect("nested.xml"), dialect("pytest.xml")];
    let by = |by: &str| {
        let output = reporter(&["slowest", "-n", "3", "--by", by], &paths);
        assert_eq!(output.status.code(), Some(0));
        format!("by {by}:\n{}", out(&output))
    };
    insta::assert_snapshot!(["test", "class", "file", "app"].map(by).join("\n"));
    let document = json(&reporter(&["slowest", "-n", "1", "--json"], &paths));
    assert_eq!(document["slowest"][0]["name"], "shop.CartTest.adds");
}

/// A run of one app in a folder of runs.
fn store(runs: &Path, name: &str, hours: u64, tests: &[(&str, &str)]) {
    let ids: Vec<&str> = tests.iter().map(|(name, _)| *name).collect();
    let inventory = || classes("shop", &[("shop.T", &ids)]);
    let mut journal = Journal::opened();
    journal
        .after(hours * 3_600_000)
        .inventory(inventory())
        .lease(1, "shop", "laptop")
        .up(1, inventory());
    for (name, how) in tests {
        let id = format!("shop.T.{name}");
        let wrong = || vec![failure("AssertionError", "no", "shop.py\", line 1")];
        match *how {
            "passes" => drop(journal.run(1, passed(&id, 0.1))),
            "fails" => drop(journal.run(1, failed(&id, 0.1, wrong()))),
            _ => {
                journal.run(1, failed(&id, 0.1, wrong()));
                journal.run(1, Finished { r#try: 2, ..passed(&id, 0.1) });
            }
        }
    }
    journal.end(1, Ending::Closed).close();
    let text = journal.text().replace("20260101-120000-k3f9", name);
    std::fs::create_dir_all(runs.join(name)).unwrap();
    std::fs::write(runs.join(name).join("journal.jsonl"), text).unwrap();
}

#[test]
fn runs_are_shown_over_time_with_those_tests_that_were_not_always_green() {
    let folder = tempfile::tempdir().unwrap();
    store(
        folder.path(),
        "20260101-000000-aaaa",
        0,
        &[("good", "passes"), ("bad", "fails"), ("shaky", "retried")],
    );
    store(
        folder.path(),
        "20260102-000000-bbbb",
        24,
        &[("good", "passes"), ("bad", "passes"), ("shaky", "passes")],
    );
    store(
        folder.path(),
        "20260103-000000-cccc",
        48,
        &[("good", "passes"), ("new", "passes"), ("shaky", "passes")],
    );
    let paths = [folder.path().to_owned()];
    insta::assert_snapshot!(out(&reporter(&["history"], &paths)));
    let flaky = json(&reporter(&["flaky", "--json"], &paths));
    let ids: Vec<&str> = flaky["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|test| test["id"].as_str().unwrap())
        .collect();
    // All runs are of one snapshot, so what failed in one and passed in another is flaky too.
    assert_eq!(ids, ["shop.T.bad", "shop.T.shaky"]);
    let history = json(&reporter(&["history", "--json"], &paths));
    assert_eq!(
        (&history["muletrain_history"], &history["runs"][2]["tests"]),
        (&Value::from(1), &Value::from(3))
    );
    assert!(out(&reporter(&["flaky"], &paths)).starts_with("2 flaky tests in 3 results\n"));
}

#[test]
fn merging_from_the_command_line_tells_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let merged = folder.path().join("merged.xml");
    let target = merged.to_str().unwrap();
    let fine = reporter(&["merge", "-o", target], &[dialect("pytest.xml"), dialect("nested.xml")]);
    assert_eq!(fine.status.code(), Some(0), "{}", String::from_utf8_lossy(&fine.stderr));
    let damaged = folder.path().join("damaged.xml");
    std::fs::write(&damaged, "<testsuite name='s'><testcase name='a'/>").unwrap();
    let output = reporter(&["merge", "-o", target], &[dialect("pytest.xml"), damaged]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("damaged.xml cannot be read to its end")
    );
    let again = reporter(&["report"], std::slice::from_ref(&merged));
    assert_eq!(again.status.code(), Some(3), "what is missing is said by the merged document too");
    let missing = reporter(&["merge", "-o", target], &[folder.path().join("none.xml")]);
    assert_eq!(missing.status.code(), Some(2));
}
