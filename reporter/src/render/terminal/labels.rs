//! How to run again what went wrong, as a command to copy.

use std::collections::BTreeSet;

use muletrain_proto::id::AppLabel;
use muletrain_proto::verdict::Verdict;

use crate::pure::summary::{Problem, ProblemKind, Summary, TestReport};
use crate::pure::text::for_line;

/// Labels that a command names at most; beyond that it names the run.
const LIMIT: usize = 8;

/// The command; none where nothing is to be run again, or nothing names it.
pub(super) fn rerun(summary: &Summary) -> Option<String> {
    // What other tools ran, no scheduler of ours can run again.
    if summary.is_foreign() {
        return None;
    }
    let what = match labels(summary).filter(|labels| labels.len() <= LIMIT) {
        Some(labels) if labels.is_empty() => return None,
        Some(labels) => {
            let quote = |label: &String| shlex::try_quote(label).unwrap_or_default().into_owned();
            labels.iter().map(quote).collect::<Vec<String>>().join(" ")
        }
        None => format!("--rerun {}", summary.run.as_ref()?),
    };
    let seed = summary.options.shuffle.map(|seed| format!(" --seed {seed}")).unwrap_or_default();
    Some(format!("muletrain-scheduler run . {what}{seed}"))
}

/// Labels for everything that went wrong; none where something cannot be named.
fn labels(summary: &Summary) -> Option<BTreeSet<String>> {
    let tests = summary.tests.iter().filter(|test| is_wanted(test));
    let tests = tests.map(|test| Some(test.id.to_string()));
    let problems = summary.problems.iter().map(of_problem);
    tests.chain(problems).map(|label| label.map(|label| for_line(&label))).collect()
}

/// Tests whose cause is elsewhere are not named: what caused it is.
fn is_wanted(test: &TestReport) -> bool {
    test.outcome.verdict.is_red() || (test.outcome.verdict == Verdict::NotRun && test.decisive.lost)
}

fn of_problem(problem: &Problem) -> Option<String> {
    let app = problem.app.as_ref()?;
    let id = problem.id.as_str();
    match problem.kind {
        ProblemKind::Pod | ProblemKind::Report => of_app(app),
        // Of a module that was named directly only the last part is known, which names nothing.
        ProblemKind::Load => {
            let module = id.strip_prefix("unittest.loader._FailedTest.")?;
            module.contains('.').then(|| module.to_owned())
        }
        ProblemKind::Fixture => Some(id.split_once(" (")?.1.strip_suffix(')')?.to_owned()),
    }
}

fn of_app(app: &AppLabel) -> Option<String> {
    (*app != AppLabel::other()).then(|| app.to_string())
}
