//! CTRF: the Common Test Report Format, in whole milliseconds as its schema wants them.

use muletrain_proto::id::{AgentId, AppLabel};
use muletrain_proto::outcome::Failure;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;
use serde::Serialize;

use super::junit::case::{method, raised};
use crate::pure::summary::{Moment, Problem, Summary, TestReport, Try};

/// Version of the specification that is followed.
const SPECIFICATION: &str = "1.0.0";

/// The document for one or more reports.
#[must_use]
pub fn ctrf(summaries: &[&Summary]) -> String {
    let tests: Vec<Test<'_>> = summaries.iter().flat_map(|summary| tests(summary)).collect();
    let count = |status: &str| tests.iter().filter(|test| test.status == status).count();
    let first = summaries.first();
    let commit = first.and_then(|summary| summary.snapshot.as_deref()?.revision.as_ref());
    let document = Document {
        report_format: "CTRF",
        spec_version: SPECIFICATION,
        generated_by: "muletrain",
        results: Results {
            tool: Tool { name: "muletrain", version: env!("CARGO_PKG_VERSION") },
            summary: Totals {
                tests: tests.len(),
                passed: count("passed"),
                failed: count("failed"),
                skipped: count("skipped"),
                pending: count("pending"),
                other: count("other"),
                flaky: tests.iter().filter(|test| test.flaky == Some(true)).count(),
                start: summaries.iter().map(|summary| summary.opened).min().unwrap_or_default(),
                stop: summaries.iter().map(|summary| summary.ended).max().unwrap_or_default(),
            },
            tests,
            environment: commit.map(|revision| Environment { commit: &revision.commit }),
        },
    };
    let mut text = serde_json::to_string(&document).expect("a report is plain data");
    text.push('\n');
    text
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    report_format: &'a str,
    spec_version: &'a str,
    generated_by: &'a str,
    results: Results<'a>,
}

#[derive(Serialize)]
struct Results<'a> {
    tool: Tool<'a>,
    summary: Totals,
    tests: Vec<Test<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Environment<'a> {
    commit: &'a str,
}

#[derive(Serialize)]
struct Totals {
    tests: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
    pending: usize,
    other: usize,
    flaky: usize,
    start: Moment,
    stop: Moment,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Test<'a> {
    name: &'a str,
    status: &'static str,
    duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suite: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    retry_attempts: Vec<Attempt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaky: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stdout: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Labels<'a>>,
}

#[derive(Serialize)]
struct Labels<'a> {
    app: &'a str,
}

#[derive(Serialize)]
struct Attempt {
    attempt: u32,
    status: &'static str,
    duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
}

fn tests(summary: &Summary) -> impl Iterator<Item = Test<'_>> {
    let problems = summary.problems.iter().map(problem);
    summary.tests.iter().map(|test| of_test(summary, test)).chain(problems)
}

fn of_test<'a>(summary: &'a Summary, test: &'a TestReport) -> Test<'a> {
    let class = summary.class(test);
    let decisive = &test.decisive;
    let duration = milliseconds(decisive.seconds);
    let lost = decisive.verdict == Verdict::NotRun && decisive.lost;
    let name = method(test, class.id.as_str());
    let retries = test.others.len();
    let failures = if test.outcome.verdict.is_red() { raised(decisive) } else { Vec::new() };
    Test {
        name: if name.is_empty() { test.id.as_str() } else { name },
        status: status(test.outcome.verdict, decisive.lost),
        duration,
        start: decisive.started,
        stop: decisive.started.map(|start| start + duration),
        suite: Some([class.id.as_str()]),
        message: message(&failures).or_else(|| decisive.reason.clone()),
        trace: trace(&failures),
        line: test.line.or(class.line),
        raw_status: Some(if lost { "lost" } else { test.outcome.verdict.as_str() }),
        file_path: class.file.as_deref(),
        retries: (retries > 0).then_some(retries),
        retry_attempts: test.others.iter().map(attempt).collect(),
        flaky: test.outcome.flaky.then_some(true),
        stdout: decisive.output.text.lines().collect(),
        thread_id: summary.agent(decisive.lease).map(AgentId::as_str),
        labels: Some(Labels { app: class.app.as_str() }),
    }
}

fn problem(problem: &Problem) -> Test<'_> {
    Test {
        name: &problem.id,
        status: "failed",
        message: message(&problem.failures),
        trace: trace(&problem.failures),
        raw_status: Some("error"),
        stdout: problem.output.text.lines().collect(),
        suite: Some(["(outside of tests)"]),
        labels: problem.app.as_ref().map(AppLabel::as_str).map(|app| Labels { app }),
        ..Test::default()
    }
}

fn attempt(one: &Try) -> Attempt {
    let failures = if one.verdict.is_red() { raised(one) } else { Vec::new() };
    Attempt {
        attempt: one.number.max(1),
        status: status(one.verdict, one.lost),
        duration: milliseconds(one.seconds),
        message: message(&failures),
        trace: trace(&failures),
    }
}

fn status(verdict: Verdict, lost: bool) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Skipped | Verdict::ExpectedFailure => "skipped",
        Verdict::NotRun if lost => "other",
        Verdict::NotRun => "pending",
        Verdict::UnexpectedSuccess
        | Verdict::Failed
        | Verdict::Error
        | Verdict::Crashed
        | Verdict::TimedOut => "failed",
    }
}

fn message(failures: &[Failure]) -> Option<String> {
    let line = |failure: &Failure| match &failure.subtest {
        Some(subtest) => format!("{subtest} {}: {}", failure.exception, failure.message),
        None => format!("{}: {}", failure.exception, failure.message),
    };
    (!failures.is_empty()).then(|| failures.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn trace(failures: &[Failure]) -> Option<String> {
    let traces: Vec<&str> = failures.iter().map(|one| one.traceback.as_str()).collect();
    Some(traces.join("\n")).filter(|text| !text.trim().is_empty())
}

fn milliseconds(seconds: Option<Seconds>) -> u64 {
    let time = seconds.unwrap_or_default().duration().as_micros();
    u64::try_from((time + 500) / 1000).unwrap_or(u64::MAX)
}
