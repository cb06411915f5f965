//! Documents about a run, written by `run` itself: also about one that is interrupted.

use std::fs;
use std::path::PathBuf;

use muletrain_tests::flow::Flow;
use rustix::process::Signal;
use serde_json::Value;

use crate::junit::count_cases;
use crate::patient::{self, BEFORE, WAITING};

/// Flags with the file that each takes, and what it tells of the run.
const FLAGS: [(&str, &str, &str); 7] = [
    ("--junit", "junit.xml", "PatientTest"),
    ("--html", "report.html", "PatientTest"),
    ("--report-json", "report.json", "PatientTest"),
    ("--ctrf", "ctrf.json", "PatientTest"),
    ("--markdown", "summary.md", "INTERRUPTED"),
    // Nothing is red.
    ("--gitlab-code-quality", "quality.json", "[]"),
    ("--trace", "trace.json", "PatientTest"),
];

#[test]
fn of_an_interrupted_run_tell_what_is_known() {
    let flow = patient::flow();
    let mut command = flow.command("muletrain-scheduler");
    command.arg("run").arg(&flow.project).args(["--runtime", "process", "--github"]);
    for (flag, name, _) in FLAGS {
        command.arg(flag).arg(flow.path(name));
    }
    let mut run = flow.start(&mut command);
    run.until("a test that waits", |_| flow.journal().filter(patient::waits));
    run.signal(Signal::INT);
    let ended = run.end();
    ended.expect(130);
    for (flag, name, told) in FLAGS {
        let text = fs::read_to_string(flow.path(name)).unwrap_or_default();
        assert!(text.contains(told), "{flag} does not tell {told}: {text}");
    }
    let text = fs::read_to_string(flow.path("report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let outcome = |id: &str| {
        let mut tests = report["runs"][0]["tests"].as_array().unwrap().iter();
        tests.find(|test| test["id"] == id).unwrap()["outcome"].clone()
    };
    assert_eq!((outcome(BEFORE), outcome(WAITING)), ("passed".into(), "not_run".into()));
    assert_eq!(report["exit_code"], 130);
    let (token, rest) = ended.stdout.split_once('\n').unwrap();
    let token = token.strip_prefix("::stop-commands::").expect("GitHub obeys no test");
    assert!(rest.contains(&format!("::{token}::")), "{}", ended.stdout);
}

#[test]
fn junit_is_laid_out_as_it_was_asked_for() {
    let flow = Flow::sample("order");
    let folder = flow.path("junit");
    fs::create_dir(&folder).unwrap();
    let mut command = flow.command("muletrain-scheduler");
    command.arg("run").arg(&flow.project).args(["--runtime", "process", "--junit"]);
    command.arg(folder.join("tests.xml"));
    command.args(["--junit-profile", "jenkins-xsd", "--junit-split", "3"]);
    flow.start(&mut command).end().expect(1);
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let cases: Vec<usize> = files.iter().map(|path| count_cases(path)).collect();
    assert_eq!(cases.iter().sum::<usize>(), 7);
    assert!(cases.len() == 3 && cases.iter().all(|cases| *cases <= 3), "{cases:?}");
    for path in files {
        let text = fs::read_to_string(path).unwrap();
        assert!(!text.contains(" line=\"") && !text.contains(" file=\""), "{text}");
    }
}
