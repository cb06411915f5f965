//! One `<testcase>`: a test, or something that went wrong outside of one.

use std::borrow::Cow;

use muletrain_proto::id::AppLabel;
use muletrain_proto::outcome::{Failure, FailureKind, Output};
use muletrain_proto::verdict::Verdict;

use crate::pure::events::bare;
use crate::pure::junit::Element;
use crate::pure::junit::times::decimals;
use crate::pure::summary::{Problem, ProblemKind, Summary, TestReport, Try};
use crate::pure::text::for_xml;

pub(super) fn of_test(summary: &Summary, test: &TestReport) -> Element {
    let class = summary.class(test);
    let decisive = &test.decisive;
    let mut case = Element::new("testcase")
        .with("classname", classname(class.id.as_str()))
        .with("name", method(test, class.id.as_str()))
        .with("time", decimals(decisive.seconds.unwrap_or_default()))
        .with_some("file", class.file.as_deref())
        .with_some("line", class.line.map(|line| line.to_string()));
    case.children.extend(results(test));
    let repeated = if test.outcome.flaky { "flakyFailure" } else { "rerunFailure" };
    for other in test.others.iter().filter(|other| other.verdict.is_red()) {
        let again = |failure: &Failure| repeat(repeated, failure, &other.output);
        case.children.extend(raised(other).iter().map(again));
    }
    case.children.extend(system_out(&decisive.output));
    case
}

/// The part of a test's id that its class does not say.
pub(crate) fn method<'a>(test: &'a TestReport, class: &str) -> &'a str {
    let id = test.id.as_str();
    let rest = id.strip_prefix(class);
    rest.and_then(|rest| rest.strip_prefix("::").or(rest.strip_prefix('.'))).unwrap_or(id)
}

/// A class as JUnit names it: what pytest calls `shop/test_cart.py::Cart` is `shop.test_cart.Cart`
/// in its own report.
pub(super) fn classname(class: &str) -> Cow<'_, str> {
    let (path, inside) = class.split_once("::").unwrap_or((class, ""));
    match path.strip_suffix(".py") {
        Some(path) => {
            let name = format!("{path}/{}", inside.replace("::", "/")).replace('/', ".");
            Cow::Owned(name.trim_end_matches('.').to_owned())
        }
        None => Cow::Borrowed(class),
    }
}

/// The elements that say how a test ended; a passing one has none.
fn results(test: &TestReport) -> Vec<Element> {
    let decisive = &test.decisive;
    let reason = decisive.reason.as_deref().unwrap_or_default();
    match test.outcome.verdict {
        Verdict::Passed => Vec::new(),
        Verdict::Skipped => vec![result("skipped", "muletrain.Skipped", reason, "")],
        Verdict::ExpectedFailure => {
            let message = "failed, as its author said it would";
            vec![result("skipped", "muletrain.ExpectedFailure", message, "")]
        }
        Verdict::NotRun => {
            let element = if decisive.lost { "error" } else { "skipped" };
            vec![result(element, "muletrain.NotRun", &format!("not run: {reason}"), "")]
        }
        Verdict::UnexpectedSuccess
        | Verdict::Failed
        | Verdict::Error
        | Verdict::Crashed
        | Verdict::TimedOut => raised(decisive).iter().map(failure_element).collect(),
    }
}

/// What a red try raised; there is always something to show.
pub(crate) fn raised(one: &Try) -> Vec<Failure> {
    match one.failures.is_empty() {
        false => one.failures.clone(),
        true => vec![bare(one.verdict, &one.verdict.to_string())],
    }
}

pub(super) fn of_problem(summary: &Summary, problem: &Problem) -> Element {
    let (_, classname, name) = place_of(summary, problem);
    let mut case = Element::new("testcase")
        .with("classname", classname)
        .with("name", name)
        .with("time", "0.000");
    match problem.failures.as_slice() {
        [] => case.children.push(failure_element(&bare(problem.verdict, &problem.id))),
        failures => case.children.extend(failures.iter().map(failure_element)),
    }
    case.children.extend(system_out(&problem.output));
    case
}

/// Suite, class name and name of a problem.
pub(super) fn place_of<'a>(
    summary: &'a Summary,
    problem: &'a Problem,
) -> (&'a str, &'a str, &'a str) {
    let id = problem.id.as_str();
    match problem.kind {
        ProblemKind::Load => match id.strip_prefix("unittest.loader._FailedTest.") {
            Some(module) => (module, "unittest.loader._FailedTest", module),
            None => (id, id, id),
        },
        ProblemKind::Fixture => {
            let target = id.strip_suffix(')').and_then(|id| id.split_once(" ("));
            let (name, target) = target.unwrap_or((id, id));
            let class = problem.class.as_ref();
            let known = class.and_then(|class| summary.classes.iter().find(|one| one.id == *class));
            (known.map_or(target, |class| class.module.as_str()), target, name)
        }
        ProblemKind::Pod => {
            let app = problem.app.as_ref().map_or("muletrain", AppLabel::as_str);
            (app, app, id.rsplit(' ').next().unwrap_or(id))
        }
        ProblemKind::Report => ("muletrain", "muletrain", id),
    }
}

fn failure_element(failure: &Failure) -> Element {
    let element = match failure.kind {
        FailureKind::Failure => "failure",
        FailureKind::Error => "error",
    };
    result(element, &failure.exception, &message(failure), &failure.traceback)
}

fn message(failure: &Failure) -> String {
    match &failure.subtest {
        Some(subtest) => format!("{subtest} {}", failure.message),
        None => failure.message.clone(),
    }
}

fn result(element: &str, kind: &str, message: &str, text: &str) -> Element {
    Element::new(element)
        .with("type", for_xml(kind))
        .with("message", for_xml(message))
        .with_text(for_xml(text))
}

fn repeat(element: &str, failure: &Failure, output: &Output) -> Element {
    let trace = Element::new("stackTrace").with_text(for_xml(&failure.traceback));
    let mut again = result(element, &failure.exception, &message(failure), "").with_child(trace);
    again.children.extend(system_out(output));
    again
}

fn system_out(output: &Output) -> Option<Element> {
    if output.text.is_empty() && output.omitted == 0 {
        return None;
    }
    let mut text = for_xml(&output.text);
    if output.omitted > 0 {
        text += &format!("\n[{} bytes omitted from the middle]\n", output.omitted);
    }
    Some(Element::new("system-out").with_text(text))
}
