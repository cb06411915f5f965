//! The command `report`, from its arguments to its exit code.

use std::path::Path;
use std::process::{Command, Output};

use crate::render::assert_well_formed;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/site.jsonl");

fn reporter(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muletrain-reporter"))
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_stored_run_is_reported() {
    let output = reporter(&["report", FIXTURE]);
    assert_eq!(output.status.code(), Some(3));
    assert!(out(&output).ends_with("INCOMPLETE\n"));
    assert_eq!(errors(&output), "");
}

#[test]
fn a_bad_result_costs_only_itself() {
    let output = reporter(&["report", "/nonexistent", FIXTURE]);
    assert_eq!(output.status.code(), Some(3));
    assert!(out(&output).contains("── Run 20260101-120000-k3f9"));
    assert!(errors(&output).starts_with("error: failed to read /nonexistent\n  because: No such"));
    assert_eq!(reporter(&["report", "/nonexistent"]).status.code(), Some(2));
}

#[test]
fn several_runs_make_one_document() {
    let directory = tempfile::tempdir().unwrap();
    let junit = directory.path().join("deep/junit.xml");
    let other = directory.path().join("other.jsonl");
    let text = std::fs::read_to_string(FIXTURE).unwrap();
    std::fs::write(&other, text.replace("20260101-120000-k3f9", "20260102-120000-k3f9")).unwrap();
    let output = reporter(&["report", FIXTURE, path(&other), FIXTURE, "--junit", path(&junit)]);
    assert_eq!(out(&output).matches("── Run 2026010").count(), 2);
    let document = std::fs::read_to_string(junit).unwrap();
    assert_well_formed(&document);
    assert!(document.contains("<testsuites name=\"muletrain\" tests=\"40\""));
}

#[test]
fn a_script_gets_json_and_nothing_else() {
    let output = reporter(&["report", FIXTURE, "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["muletrain_report"], 1);
    assert_eq!(document["exit_code"], 3);
    assert_eq!(document["runs"][0]["counts"]["tests"], 17);
}

#[test]
fn a_document_that_cannot_be_written_is_told() {
    let output = reporter(&["report", FIXTURE, "--junit", "/proc/none/junit.xml"]);
    assert!(errors(&output).contains("failed to write /proc/none/junit.xml"));
    assert!(out(&output).ends_with("INCOMPLETE\n"));
}

#[test]
fn wrong_arguments_are_a_usage_error() {
    for arguments in [
        &["report"][..],
        &["watch"],
        &["watch", "--scheduler", "nowhere"],
        &["watch", "../run", "--scheduler", "unix:/none"],
    ] {
        let output = reporter(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(errors(&output).starts_with("error: "), "{arguments:?}");
    }
}

#[test]
fn help_shows_examples() {
    insta::assert_snapshot!(out(&reporter(&["report", "--help"])));
}

#[test]
fn manual_and_completions_come_from_the_same_definitions() {
    assert!(out(&reporter(&["generate", "man"])).contains("muletrain\\-reporter"));
    assert!(out(&reporter(&["generate", "completions", "bash"])).contains("muletrain-reporter"));
}
