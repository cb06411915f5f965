//! What a `<testcase>` says, in whatever dialect it says it.

use muletrain_proto::outcome::{Failure, FailureKind};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::{Element, times};

/// How JUnit counts a case, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Nothing is wrong.
    Passed,
    /// It was not run.
    Skipped,
    /// An assertion did not hold.
    Failed,
    /// Anything else went wrong.
    Error,
}

/// What a case says.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// How it ended; of several results, the worst.
    pub verdict: Verdict,
    /// For a test without a verdict: because work was lost.
    pub lost: bool,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// Everything that was raised.
    pub failures: Vec<Failure>,
    /// What earlier tries raised.
    pub repeated: Vec<Failure>,
    /// Whether it passed after those.
    pub flaky: bool,
    /// Time it took, as far as known.
    pub seconds: Option<Seconds>,
}

/// How JUnit counts a case. A result that is an element counts before one that is an attribute,
/// and the worst of several counts.
#[must_use]
pub fn class(case: &Element) -> Class {
    let elements = case.children.iter().filter_map(|child| class_of(&child.name)).max();
    elements.unwrap_or_else(|| {
        let said = ["status", "result"].into_iter().filter_map(|name| case.get(name));
        said.filter_map(class_of_word).max().unwrap_or(Class::Passed)
    })
}

fn class_of(element: &str) -> Option<Class> {
    match element {
        "error" => Some(Class::Error),
        "failure" => Some(Class::Failed),
        "skipped" | "skip" | "disabled" | "ignored" => Some(Class::Skipped),
        _ => None,
    }
}

/// The words of those that have an attribute for it, such as CTest and GoogleTest.
#[must_use]
pub fn class_of_word(word: &str) -> Option<Class> {
    match word.trim().to_ascii_lowercase().as_str() {
        "error" | "errored" | "broken" => Some(Class::Error),
        "fail" | "failed" | "failure" => Some(Class::Failed),
        "skip" | "skipped" | "notrun" | "disabled" | "ignored" | "suppressed" => {
            Some(Class::Skipped)
        }
        _ => None,
    }
}

/// What a case says.
#[must_use]
pub fn read(case: &Element) -> Told {
    let raised = case.children.iter().filter_map(|child| match class_of(&child.name)? {
        Class::Error => Some(failure(child, FailureKind::Error)),
        Class::Failed => Some(failure(child, FailureKind::Failure)),
        Class::Passed | Class::Skipped => None,
    });
    let mut failures: Vec<Failure> = raised.collect();
    let class = class(case);
    if failures.is_empty() && class > Class::Skipped {
        failures.push(without_element(case, class));
    }
    let repeats =
        case.children.iter().filter_map(|child| repeated(child).map(|kind| (child, kind)));
    let repeated: Vec<Failure> = repeats.map(|(child, kind)| failure(child, kind)).collect();
    let (verdict, lost, reason) = conclude(case, class, &mut failures);
    Told {
        verdict,
        lost,
        reason,
        failures,
        flaky: verdict == Verdict::Passed && !repeated.is_empty(),
        repeated,
        seconds: case.get("time").and_then(times::duration),
    }
}

/// The verdict, with the reason for one that is none. Our own words for what JUnit has none for
/// are understood again.
fn conclude(
    case: &Element,
    class: Class,
    failures: &mut Vec<Failure>,
) -> (Verdict, bool, Option<String>) {
    let has = |name: &str| failures.iter().any(|failure| failure.exception == name);
    match class {
        Class::Passed => (Verdict::Passed, false, None),
        Class::Skipped => {
            let element = case.children.iter().find(|child| class_of(&child.name).is_some());
            let reason = element.and_then(reason);
            match element.and_then(|element| element.get("type")) {
                Some("muletrain.NotRun") => {
                    (Verdict::NotRun, false, reason.as_deref().map(without_prefix))
                }
                Some("muletrain.ExpectedFailure" | "pytest.xfail") => {
                    (Verdict::ExpectedFailure, false, None)
                }
                _ => (Verdict::Skipped, false, reason),
            }
        }
        Class::Failed if has("muletrain.UnexpectedSuccess") => {
            (Verdict::UnexpectedSuccess, false, None)
        }
        Class::Failed => (Verdict::Failed, false, None),
        Class::Error if has("muletrain.Crashed") => (Verdict::Crashed, false, None),
        Class::Error if has("muletrain.TimedOut") => (Verdict::TimedOut, false, None),
        Class::Error if failures.iter().all(|one| one.exception == "muletrain.NotRun") => {
            let reason = failures.pop().map(|failure| without_prefix(&failure.message));
            failures.clear();
            (Verdict::NotRun, true, reason)
        }
        Class::Error => (Verdict::Error, false, None),
    }
}

fn reason(element: &Element) -> Option<String> {
    let text = Some(element.text.trim()).filter(|text| !text.is_empty());
    element.filled("message").or(text).map(str::to_owned)
}

fn without_prefix(reason: &str) -> String {
    reason.strip_prefix("not run: ").unwrap_or(reason).to_owned()
}

/// The kind of failure of an earlier try, in the words of Surefire.
fn repeated(element: &Element) -> Option<FailureKind> {
    match element.name.as_str() {
        "flakyFailure" | "rerunFailure" => Some(FailureKind::Failure),
        "flakyError" | "rerunError" => Some(FailureKind::Error),
        _ => None,
    }
}

fn failure(element: &Element, kind: FailureKind) -> Failure {
    let trace = element.all("stackTrace").map(|trace| trace.text.as_str());
    let traceback = std::iter::once(element.text.as_str()).chain(trace);
    let traceback = traceback.filter(|text| !text.trim().is_empty()).collect::<Vec<_>>().join("\n");
    let said = element.filled("message").map(str::to_owned);
    let message = said.unwrap_or_else(|| last_line(&traceback).to_owned());
    let fallback = if kind == FailureKind::Error { "error" } else { "failure" };
    let exception = element.filled("type").unwrap_or(fallback).to_owned();
    Failure { kind, exception, message, traceback, subtest: None }
}

fn without_element(case: &Element, class: Class) -> Failure {
    let said = ["status", "result"].into_iter().find_map(|name| Some((name, case.get(name)?)));
    let (name, word) = said.unwrap_or(("status", "failed"));
    let kind = if class == Class::Error { FailureKind::Error } else { FailureKind::Failure };
    Failure {
        kind,
        exception: "failure".to_owned(),
        message: format!("the report says {name}=\"{word}\" and nothing more"),
        traceback: String::new(),
        subtest: None,
    }
}

fn last_line(text: &str) -> &str {
    text.trim_end().lines().next_back().unwrap_or_default().trim()
}

#[cfg(test)]
#[path = "case_tests.rs"]
mod tests;
