//! Documents beside the report: each as its readers want it, checked against their schemas.

use std::path::Path;
use std::process::Command;

use muletrain_reporter::pure::summary::Summary;
use muletrain_reporter::render::{ctrf, github, gitlab, json, markdown, trace};
use serde_json::Value;

use crate::damage::scratch;
use crate::dialects::{dialect, summary};
use crate::site;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Every kind of result there is: a run, other tools' files, and one that is damaged.
fn all() -> [Summary; 2] {
    let damaged = scratch("<testsuite name='d'><testcase name='cut off'>");
    let files = ["surefire.xml", "ctrf.json", "reportlog.jsonl", "nested.xml"].map(dialect);
    [
        site::journal().summary(),
        summary(&[&files[..], std::slice::from_ref(&damaged.path)].concat()),
    ]
}

#[track_caller]
pub(crate) fn assert_valid(schema: &Path, document: &Value) {
    let schema = parsed(&std::fs::read_to_string(schema).unwrap());
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(document)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

pub(crate) fn file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn the_json_report_is_what_its_schema_says() {
    let all = all();
    let document = parsed(&json::json(&all.each_ref()));
    assert_valid(&file("schema/report.schema.json"), &document);
    // Nothing is published that is not in the schema.
    let schema = parsed(&std::fs::read_to_string(file("schema/report.schema.json")).unwrap());
    let known = |name: &str| schema["$defs"][name]["properties"].as_object().unwrap().clone();
    for (name, values) in [("run", "/runs"), ("test", "/runs/0/tests"), ("app", "/runs/0/apps")] {
        for value in document.pointer(values).unwrap().as_array().unwrap() {
            for field in value.as_object().unwrap().keys() {
                assert!(known(name).contains_key(field), "{name} has no {field} in its schema");
            }
        }
    }
}

#[test]
fn ctrf_is_what_its_schema_says() {
    let all = all();
    let document = parsed(&ctrf::ctrf(&all.each_ref()));
    assert_valid(&file("tests/fixtures/ctrf.schema.json"), &document);
    let summary = &document["results"]["summary"];
    let tests = all.iter().map(|one| one.counts.tests() + one.counts.problems).sum::<u32>();
    assert_eq!(summary["tests"], tests);
    let parts = ["passed", "failed", "skipped", "pending", "other"];
    let sum: u64 = parts.iter().map(|part| summary[part].as_u64().unwrap()).sum();
    assert_eq!(sum, u64::from(tests));
}

#[test]
fn ctrf_that_was_written_is_read_again() {
    let run = site::journal().summary();
    let written = scratch(ctrf::ctrf(&[&run]));
    let read = summary(std::slice::from_ref(&written.path));
    let outcomes = |summary: &Summary| {
        let tests = summary.tests.iter();
        let mut all: Vec<String> =
            tests.map(|test| format!("{} {}", test.id, test.outcome.as_str())).collect();
        all.sort();
        all
    };
    let mut expected = outcomes(&run);
    expected.extend(run.problems.iter().map(|one| format!("(outside of tests).{} error", one.id)));
    expected.sort();
    assert_eq!(outcomes(&read), expected);
}

#[test]
fn markdown_tells_what_failed_first() {
    insta::assert_snapshot!(markdown::markdown(&[&site::journal().summary()]));
}

#[test]
fn markdown_stays_under_the_limit_and_says_what_it_leaves_out() {
    let cases: String = (0..3000)
        .map(|number| {
            let trace = "line of a traceback\n".repeat(100);
            format!("<testcase name='{number}'><failure message='no'>{trace}</failure></testcase>")
        })
        .collect();
    let many = scratch(format!("<testsuite name='s'>{cases}</testsuite>"));
    let text = markdown::markdown(&[&summary(std::slice::from_ref(&many.path))]);
    assert!(text.len() < 1 << 20 && text.len() > 900 << 10, "{}", text.len());
    let shown = text.matches("<details>").count();
    assert!(text.contains(&format!("\nand {} more\n", 3000 - shown)));
}

#[test]
fn markdown_of_many_results_stays_under_the_limit_together() {
    let name = "n".repeat(200);
    let mut one = site::journal().summary();
    one.incidents = vec![name.clone(); 50];
    one.unfinished = vec![name; 50];
    for (number, is_cut) in [(1, false), (60, false), (20_000, true)] {
        let text = markdown::markdown(&vec![&one; number]);
        assert!(text.len() <= 1 << 20, "{} bytes for {number}", text.len());
        let shown = text.matches("## muletrain: ").count();
        assert_eq!(text.contains(&format!("\nand {} more results\n", number - shown)), is_cut);
        assert!(is_cut || shown == number);
    }
}

#[test]
fn markdown_has_nothing_of_what_tests_say_but_text() {
    let evil =
        "&lt;img src=x onerror=alert(1)&gt; @everyone #1 ![a](b) ``` ````\n# title\n| a | b |";
    let case = format!(
        "<testcase name='{0}'><failure message='{0}'>{0}</failure></testcase>",
        evil.replace('\n', "&#10;")
    );
    let hostile = scratch(format!("<testsuite name='s'>{case}</testsuite>"));
    let text = markdown::markdown(&[&summary(std::slice::from_ref(&hostile.path))]);
    let outside: String = text.split("`````").step_by(2).collect();
    for found in ["<img", "@everyone", " #1", "![", "\n# title", "\n| a"] {
        assert!(!outside.contains(found), "{found} in:\n{outside}");
    }
}

#[test]
fn github_gets_annotations_within_its_limits() {
    insta::assert_snapshot!(github::annotations(&[&site::journal().summary()]));
    let cases: String =
        (0..25).map(|number| format!("<testcase name='{number}'><failure/></testcase>")).collect();
    let many = scratch(format!("<testsuite name='s'>{cases}</testsuite>"));
    let text = github::annotations(&[&summary(std::slice::from_ref(&many.path))]);
    assert_eq!(text.matches("::error ").count(), 10);
    assert!(text.ends_with("::notice title=muletrain::and 15 more errors\n"));
}

#[test]
fn github_obeys_nothing_that_a_test_prints() {
    let evil = "::error::pwned&#10;##[error]pwned&#10;::stop-commands::x";
    let hostile = scratch(format!(
        "<testcase name='a'><failure message='{evil}'>{evil}</failure></testcase>"
    ));
    let output = Command::new(env!("CARGO_BIN_EXE_muletrain-reporter"))
        .args(["report", "--github"])
        .arg(&hostile.path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let token = first.strip_prefix("::stop-commands::").unwrap();
    let (fenced, commands) = rest.split_once(&format!("::{token}::\n")).unwrap();
    assert!(fenced.contains("## [error]pwned") && !fenced.contains("##["));
    assert_eq!(commands.lines().count(), 1, "{commands}");
}

#[test]
fn gitlab_gets_lines_of_files() {
    insta::assert_snapshot!(gitlab::code_quality(&[&site::journal().summary()]));
}

#[test]
fn the_timeline_has_every_agent_slot_stage_and_test() {
    let document = parsed(&trace::trace(&all().each_ref()));
    let events = document["traceEvents"].as_array().unwrap();
    let lines = events.iter().map(|event| {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        match text("ph") {
            "M" => format!(
                "{} {}/{}: {}",
                text("name"),
                event["pid"],
                event["tid"],
                event["args"]["name"]
            ),
            _ => format!(
                "{} {}/{} {}+{} {}",
                text("cat"),
                event["pid"],
                event["tid"],
                event["ts"],
                event["dur"],
                text("name")
            ),
        }
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_document_is_written_where_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["a.json", "b.json", "c.md", "d.json", "e.json"];
    let flags = ["--report-json", "--ctrf", "--markdown", "--gitlab-code-quality", "--trace"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_muletrain-reporter"));
    command.arg("report").arg(dialect("pytest.xml"));
    for (flag, name) in flags.iter().zip(names) {
        command.arg(flag).arg(folder.path().join(name));
    }
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    for name in names {
        assert!(folder.path().join(name).metadata().unwrap().len() > 0, "{name}");
    }
}
