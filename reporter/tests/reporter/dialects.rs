//! Results as many tools write them, and what each of them says.

use std::path::{Path, PathBuf};

use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::seconds::Seconds;
use muletrain_reporter::pure::junit::Part;
use muletrain_reporter::pure::summary::Summary;
use muletrain_reporter::read::input::Input;
use muletrain_reporter::read::{Keep, Reading, parts};
use muletrain_reporter::results;

/// JUnit XML as many tools write it.
pub(crate) const XML: [&str; 8] = [
    "pytest.xml",
    "surefire.xml",
    "googletest.xml",
    "ctest.xml",
    "mocha.xml",
    "nested.xml",
    "bare.xml",
    "latin1.xml",
];

/// CTRF.
pub(crate) const CTRF: &str = "ctrf.json";

/// A log of pytest-reportlog.
pub(crate) const REPORT_LOG: &str = "reportlog.jsonl";

/// All of them.
pub(crate) fn corpus() -> Vec<&'static str> {
    XML.into_iter().chain([CTRF, REPORT_LOG]).collect()
}

pub(crate) fn dialect(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dialects").join(name)
}

/// The one report on these files.
pub(crate) fn summary(paths: &[PathBuf]) -> Summary {
    let mut results = results::read(paths);
    assert!(results.errors.is_empty(), "{:?}", results.errors);
    assert_eq!(results.reports.len(), 1);
    results.reports.remove(0).summary
}

/// Everything in a file, part by part.
pub(crate) fn read(path: &Path) -> (Vec<Part>, Reading) {
    let mut all = Vec::new();
    let keep = Keep::Everything { text: 1 << 20 };
    let reading = parts(&Input::open(path).unwrap(), keep, &mut |part| {
        all.push(part);
        Ok(())
    });
    (all, reading.unwrap())
}

/// Every test with its outcome, and what else there is to say, a line each.
fn told(summary: &Summary) -> String {
    let tests = summary.tests.iter().map(|test| {
        let class = summary.class(test);
        let place = [class.file.clone(), test.line.map(|line| line.to_string())];
        let place = place.into_iter().flatten().collect::<Vec<_>>().join(":");
        let agent = summary.agent(test.decisive.lease).map(ToString::to_string);
        let why =
            test.decisive.failures.iter().chain(test.others.iter().flat_map(|one| &one.failures));
        let why: Vec<String> = why
            .map(|one| {
                format!("{}: {} ({} bytes)", one.exception, one.message, one.traceback.len())
            })
            .collect();
        format!(
            "{} {} [{}] {:?} {} {} {:?} {:?}",
            test.outcome.as_str(),
            test.id,
            class.app,
            test.decisive.seconds.map(Seconds::get),
            place,
            agent.unwrap_or_default(),
            test.decisive.reason,
            why,
        )
    });
    let problems =
        summary.problems.iter().map(|one| format!("problem {}: {:?}", one.id, one.failures));
    let notes =
        summary.incidents.iter().map(|note| format!("note {}", note.rsplit('/').next().unwrap()));
    tests.chain(problems).chain(notes).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_dialect_is_understood() {
    let text: Vec<String> = corpus()
        .into_iter()
        .map(|name| {
            let summary = summary(&[dialect(name)]);
            assert_eq!(summary.unfinished, Vec::<String>::new(), "{name}");
            format!("== {name}, exit code {}\n{}\n", summary.exit.status(), told(&summary))
        })
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn results_of_different_kinds_make_one_report() {
    let all = ["pytest.xml", CTRF, REPORT_LOG, "nested.xml"].map(dialect);
    let together = summary(&all);
    let tests: u32 = all.iter().map(|one| summary(std::slice::from_ref(one)).counts.tests()).sum();
    assert_eq!(together.counts.tests(), tests);
    assert_eq!((together.files, together.exit), (4, ExitCode::Red));
    assert!(together.apps.iter().any(|app| app.label.as_str() == "playwright"));
}

#[test]
fn the_same_run_given_twice_counts_once() {
    let once = summary(&[dialect("pytest.xml")]);
    let twice = summary(&[dialect("pytest.xml"), dialect("pytest.xml")]);
    assert_eq!(twice.counts, once.counts);
    assert_eq!(twice.incidents, ["6 results of the same run were given twice"]);
}

#[test]
fn a_red_test_that_comes_again_in_its_suite_was_tried_again() {
    let outcomes = |cases: &str| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.xml");
        let cases = cases.split(' ').map(|one| match one {
            "F" => "<testcase name='t' classname='C'><failure/></testcase>",
            _ => "<testcase name='t' classname='C'/>",
        });
        let text = format!("<testsuite name='s'>{}</testsuite>", cases.collect::<String>());
        std::fs::write(&path, text).unwrap();
        let summary = summary(&[path]);
        let tests = summary.tests.iter();
        tests.map(|test| format!("{} {}", test.id, test.outcome.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(outcomes("F F P"), ["C.t flaky"]);
    assert_eq!(outcomes("F F"), ["C.t failed"]);
    // What passed and then failed are two tests of one name: red is never taken back.
    assert_eq!(outcomes("P F"), ["C.t passed", "C.t #2 failed"]);
    assert_eq!(outcomes("P P"), ["C.t passed", "C.t #2 passed"]);
}

#[test]
fn a_name_that_looks_numbered_is_not_taken_for_another_test() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.xml");
    let cases = ["t", "t", "t #2"].map(|name| format!("<testcase name='{name}' classname='C'/>"));
    std::fs::write(&path, format!("<testsuite name='s'>{}</testsuite>", cases.concat())).unwrap();
    let summary = summary(&[path]);
    let ids: Vec<&str> = summary.tests.iter().map(|test| test.id.as_str()).collect();
    assert_eq!(ids, ["C.t", "C.t #2", "C.t #2 #2"]);
    let directory = tempfile::tempdir().unwrap();
    let long = format!("<testcase name='{}'/>", "x".repeat(5000)).repeat(3);
    let path = directory.path().join("long.xml");
    std::fs::write(&path, format!("<testsuite name='s'>{long}</testsuite>")).unwrap();
    let summary = self::summary(&[path]);
    let ids: std::collections::BTreeSet<&str> =
        summary.tests.iter().map(|test| test.id.as_str()).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn the_same_test_on_another_host_is_another_test() {
    let directory = tempfile::tempdir().unwrap();
    let write = |host: &str, inner: &str| {
        let path = directory.path().join(format!("{host}.xml"));
        let case = format!("<testcase name='t' classname='C'>{inner}</testcase>");
        std::fs::write(&path, format!("<testsuite name='s' hostname='{host}'>{case}</testsuite>"))
            .unwrap();
        path
    };
    let both = summary(&[write("linux", "<failure/>"), write("windows", "")]);
    assert_eq!((both.counts.failed, both.counts.passed, both.exit), (1, 1, ExitCode::Red));
    let agents: Vec<String> =
        both.tests.iter().map(|one| both.agent(one.decisive.lease).unwrap().to_string()).collect();
    assert_eq!(agents, ["linux", "windows"]);
}

#[test]
fn a_folder_stands_for_the_reports_in_it() {
    let folder = dialect("");
    let all = summary(&[folder]);
    assert_eq!(all.files, XML.len());
}
