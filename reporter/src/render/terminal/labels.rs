//! How to run again what went wrong, as a command to copy.

use std::borrow::Cow;
use std::collections::BTreeSet;

use muletrain_proto::verdict::Verdict;

use crate::pure::summary::{Problem, ProblemKind, Summary, TestReport};
use crate::pure::text::for_line;

/// Labels that a command names at most; beyond that it names what holds them.
const LIMIT: usize = 8;

/// The command; none where there is nothing to run again, or everything.
pub(super) fn rerun(summary: &Summary) -> Option<String> {
    let tests: Vec<&TestReport> = summary.tests.iter().filter(|test| wanted(test)).collect();
    let problems = &summary.problems;
    if problems.iter().any(|problem| problem.app.is_none()) {
        return None;
    }
    let grain: [fn(&Summary, &TestReport) -> String; 3] = [
        |_, test| test.id.to_string(),
        |summary, test| summary.class(test).id.to_string(),
        |summary, test| summary.class(test).app.to_string(),
    ];
    let outside: BTreeSet<String> = problems.iter().filter_map(label).collect();
    let labels = grain.into_iter().map(|grain| {
        let of_tests = tests.iter().map(|test| grain(summary, test));
        of_tests.chain(outside.iter().cloned()).collect::<BTreeSet<_>>()
    });
    let labels = labels.into_iter().find(|labels| labels.len() <= LIMIT)?;
    if labels.is_empty() || labels.contains("(other)") {
        return None;
    }
    let quoted: Vec<String> = labels.iter().map(|label| quote(&for_line(label))).collect();
    Some(format!("muletrain-scheduler run . {}", quoted.join(" ")))
}

/// Tests whose cause is elsewhere are not named: what caused it is.
fn wanted(test: &TestReport) -> bool {
    test.outcome.verdict.is_red() || (test.outcome.verdict == Verdict::NotRun && test.decisive.lost)
}

fn label(problem: &Problem) -> Option<String> {
    let id = problem.id.as_str();
    match problem.kind {
        ProblemKind::Load => id.strip_prefix("unittest.loader._FailedTest.").map(str::to_owned),
        ProblemKind::Fixture => Some(id.split_once(" (")?.1.strip_suffix(')')?.to_owned()),
        ProblemKind::Pod => problem.app.as_ref().map(ToString::to_string),
    }
}

fn quote(label: &str) -> String {
    shlex::try_quote(label).map(Cow::into_owned).unwrap_or_default()
}
