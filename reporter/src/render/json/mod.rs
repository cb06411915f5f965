//! The machine-readable summary: a versioned contract, apart from the types it is made from.

mod around;

use std::collections::BTreeMap;

use muletrain_proto::id::{AgentId, AppLabel, RunId};
use muletrain_proto::outcome::Failure;
use muletrain_proto::run::Iteration;
use muletrain_proto::seconds::Seconds;
use serde::Serialize;

use crate::pure::counts::Counts;
use crate::pure::summary::{AppReport, ClassInfo, Problem, Summary, TestReport, Try};

/// Version of the format.
const VERSION: u32 = 1;

/// The summaries of one or more runs as a JSON document.
#[must_use]
pub fn json(summaries: &[&Summary]) -> String {
    let exit = summaries.iter().map(|summary| summary.exit).max().unwrap_or_default();
    let runs = summaries.iter().map(|summary| run(summary)).collect();
    let document = Document { muletrain_report: VERSION, exit_code: exit.status(), runs };
    let mut text = serde_json::to_string_pretty(&document).expect("a report is plain data");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document<'a> {
    muletrain_report: u32,
    exit_code: u8,
    runs: Vec<Run<'a>>,
}

#[derive(Serialize)]
struct Run<'a> {
    run: Option<&'a str>,
    /// Files of other tools; none for a run of muletrain.
    files: usize,
    snapshot: Option<&'a str>,
    commit: Option<&'a str>,
    exit_code: u8,
    /// Milliseconds since 1970.
    opened_at: Option<u64>,
    /// From the first record to the last; null where nobody knows.
    seconds: Option<Seconds>,
    counts: Totals,
    deselected: u32,
    /// The seed by which classes and methods were shuffled.
    #[serde(skip_serializing_if = "Option::is_none")]
    shuffle: Option<u64>,
    /// Which repetition this was of a run that was repeated.
    #[serde(skip_serializing_if = "Option::is_none")]
    iteration: Option<Iteration>,
    /// What was asked for and is not there.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    unfinished: &'a [String],
    incidents: &'a [String],
    /// Of agents that set databases up once for all their pods, how long it took.
    databases_made: BTreeMap<&'a str, Seconds>,
    apps: Vec<App<'a>>,
    problems: Vec<Trouble<'a>>,
    /// Those of which it is known how much memory they took.
    classes: Vec<Class<'a>>,
    tests: Vec<Test<'a>>,
    /// Commands, files, warnings and coverage.
    #[serde(flatten)]
    around: around::Around<'a>,
}

#[derive(Serialize)]
struct Totals {
    tests: u32,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize)]
struct App<'a> {
    app: &'a str,
    agents: Vec<&'a str>,
    seconds: Seconds,
    setup_seconds: Seconds,
    database_seconds: Seconds,
    /// Null where there are no databases.
    databases_kept: Option<bool>,
    counts: Totals,
}

#[derive(Serialize)]
struct Trouble<'a> {
    id: &'a str,
    app: Option<&'a str>,
    verdict: &'a str,
    failures: &'a [Failure],
}

#[derive(Serialize)]
struct Class<'a> {
    class: &'a str,
    app: &'a str,
    /// Most resident memory of its process while it ran.
    peak_kib: u64,
}

#[derive(Serialize)]
struct Test<'a> {
    id: &'a str,
    app: &'a str,
    outcome: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lost: bool,
    seconds: Option<Seconds>,
    agent: Option<&'a str>,
    r#try: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Failure]>::is_empty")]
    failures: &'a [Failure],
    /// Its other tries, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<Other<'a>>,
}

#[derive(Serialize)]
struct Other<'a> {
    r#try: u32,
    verdict: &'a str,
    seconds: Option<Seconds>,
    agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Failure]>::is_empty")]
    failures: &'a [Failure],
}

fn run(summary: &Summary) -> Run<'_> {
    let snapshot = summary.snapshot.as_deref();
    let revision = snapshot.and_then(|snapshot| snapshot.revision.as_ref());
    Run {
        run: summary.run.as_ref().map(RunId::as_str),
        files: summary.files,
        snapshot: snapshot.map(|snapshot| snapshot.id.as_str()),
        commit: revision.map(|revision| revision.commit.as_str()),
        exit_code: summary.exit.status(),
        opened_at: (!summary.is_foreign() || summary.opened > 0).then_some(summary.opened),
        seconds: (!summary.is_foreign()).then(|| summary.wall()),
        counts: totals(&summary.counts),
        deselected: summary.deselected,
        shuffle: summary.options.shuffle,
        iteration: summary.options.iteration,
        notes: &summary.notes,
        unfinished: &summary.unfinished,
        incidents: &summary.incidents,
        databases_made: summary.made.iter().map(|(agent, time)| (agent.as_str(), *time)).collect(),
        apps: summary.apps.iter().map(app).collect(),
        problems: summary.problems.iter().map(trouble).collect(),
        classes: summary.classes.iter().filter_map(class).collect(),
        tests: summary.tests.iter().map(|one| test(summary, one)).collect(),
        around: around::around(&summary.around),
    }
}

fn totals(counts: &Counts) -> Totals {
    Totals { tests: counts.tests(), counts: *counts }
}

fn app(app: &AppReport) -> App<'_> {
    App {
        app: app.label.as_str(),
        agents: app.agents.iter().map(AgentId::as_str).collect(),
        seconds: app.work,
        setup_seconds: app.setup,
        database_seconds: app.databases,
        databases_kept: app.kept,
        counts: totals(&app.counts),
    }
}

fn trouble(problem: &Problem) -> Trouble<'_> {
    Trouble {
        id: &problem.id,
        app: problem.app.as_ref().map(AppLabel::as_str),
        verdict: problem.verdict.as_str(),
        failures: &problem.failures,
    }
}

fn class(class: &ClassInfo) -> Option<Class<'_>> {
    let peak_kib = class.peak_kib?;
    Some(Class { class: class.id.as_str(), app: class.app.as_str(), peak_kib })
}

fn test<'a>(summary: &'a Summary, test: &'a TestReport) -> Test<'a> {
    let decisive = &test.decisive;
    Test {
        id: test.id.as_str(),
        app: summary.class(test).app.as_str(),
        outcome: test.outcome.as_str(),
        lost: decisive.lost,
        seconds: decisive.seconds,
        agent: summary.agent(decisive.lease).map(AgentId::as_str),
        r#try: decisive.number,
        reason: decisive.reason.as_deref(),
        failures: &decisive.failures,
        others: test.others.iter().map(|one| other(summary, one)).collect(),
    }
}

fn other<'a>(summary: &'a Summary, one: &'a Try) -> Other<'a> {
    Other {
        r#try: one.number,
        verdict: one.verdict.as_str(),
        seconds: one.seconds,
        agent: summary.agent(one.lease).map(AgentId::as_str),
        reason: one.reason.as_deref(),
        failures: &one.failures,
    }
}
