//! How to run again what went wrong, as a command to copy.

use std::borrow::Cow;
use std::collections::BTreeSet;

use muletrain_proto::id::AppLabel;
use muletrain_proto::verdict::Verdict;

use crate::pure::summary::{Problem, ProblemKind, Summary, TestReport};
use crate::pure::text::for_line;

/// Labels that a command names at most; beyond that it names what holds them.
const LIMIT: usize = 8;

/// What a label names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grain {
    Test,
    Class,
    App,
}

/// The command; none where nothing is to be run again, or no few labels name it.
pub(super) fn rerun(summary: &Summary) -> Option<String> {
    let labels = [Grain::Test, Grain::Class, Grain::App]
        .into_iter()
        .filter_map(|grain| labels(summary, grain))
        .find(|labels| labels.len() <= LIMIT)?;
    if labels.is_empty() {
        return None;
    }
    let quoted: Vec<Cow<'_, str>> =
        labels.iter().map(|label| shlex::try_quote(label).unwrap_or_default()).collect();
    Some(format!("muletrain-scheduler run . {}", quoted.join(" ")))
}

/// Labels for everything that went wrong; none where something cannot be named.
fn labels(summary: &Summary, grain: Grain) -> Option<BTreeSet<String>> {
    let tests = summary.tests.iter().filter(|test| is_wanted(test));
    let tests = tests.map(|test| of_test(summary, test, grain));
    let problems = summary.problems.iter().map(|problem| of_problem(problem, grain));
    tests.chain(problems).map(|label| label.map(|label| for_line(&label))).collect()
}

/// Tests whose cause is elsewhere are not named: what caused it is.
fn is_wanted(test: &TestReport) -> bool {
    test.outcome.verdict.is_red() || (test.outcome.verdict == Verdict::NotRun && test.decisive.lost)
}

fn of_test(summary: &Summary, test: &TestReport, grain: Grain) -> Option<String> {
    let class = summary.class(test);
    match grain {
        Grain::Test => Some(test.id.to_string()),
        Grain::Class => Some(class.id.to_string()),
        Grain::App => of_app(&class.app),
    }
}

fn of_problem(problem: &Problem, grain: Grain) -> Option<String> {
    let app = problem.app.as_ref()?;
    let id = problem.id.as_str();
    match (grain, problem.kind) {
        (Grain::App, _) | (_, ProblemKind::Pod) => of_app(app),
        // Of a module that was named directly only the last part is known, which names nothing.
        (_, ProblemKind::Load) => {
            let module = id.strip_prefix("unittest.loader._FailedTest.")?;
            module.contains('.').then(|| module.to_owned())
        }
        (_, ProblemKind::Fixture) => Some(id.split_once(" (")?.1.strip_suffix(')')?.to_owned()),
    }
}

fn of_app(app: &AppLabel) -> Option<String> {
    (*app != AppLabel::other()).then(|| app.to_string())
}
