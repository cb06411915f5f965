//! A test of a CTRF document. Fields that are missing or of another type are passed over.

use serde_json::Value;

use super::{result, timestamp};
use crate::pure::junit::Element;

/// What a document says besides its tests.
#[derive(Debug, Default)]
pub struct Context {
    tool: Option<String>,
}

impl Context {
    /// Takes note of the tool that ran the tests.
    pub fn tool(&mut self, tool: &Value) {
        self.tool = text(tool, "name").map(str::to_owned);
    }

    /// The suite of a test: its app, where it names one, else its tool.
    #[must_use]
    pub fn suite(&self, test: &Value) -> String {
        let app = test.get("labels").and_then(|labels| text(labels, "app"));
        app.or(self.tool.as_deref()).unwrap_or("CTRF").to_owned()
    }
}

/// A test as a case.
#[must_use]
pub fn case(test: &Value) -> Element {
    let mut case = Element::new("testcase")
        .with_some("classname", class(test))
        .with("name", text(test, "name").unwrap_or("(unnamed)"))
        .with_some("time", milliseconds(test, "duration").map(|time| format!("{:.3}", time / 1e3)))
        .with_some("file", text(test, "filePath"))
        .with_some("line", test.get("line").and_then(Value::as_u64).map(|line| line.to_string()))
        .with_some("timestamp", test.get("start").and_then(Value::as_i64).map(timestamp));
    case.children.extend(outcome(test));
    case.children.extend(repeated(test));
    for (element, field) in [("system-out", "stdout"), ("system-err", "stderr")] {
        case.children.extend(lines(test, field).map(|text| Element::new(element).with_text(text)));
    }
    case
}

/// The suites around it, the outermost first.
fn class(test: &Value) -> Option<String> {
    match test.get("suite")? {
        Value::String(suite) => Some(suite.clone()),
        Value::Array(suites) => {
            let names: Vec<&str> = suites.iter().filter_map(Value::as_str).collect();
            (!names.is_empty()).then(|| names.join(" > "))
        }
        _ => None,
    }
}

/// The element that says how it ended; for one that passed there is none.
fn outcome(test: &Value) -> Option<Element> {
    let message = text(test, "message").unwrap_or_default();
    let trace = text(test, "trace").unwrap_or_default();
    // Our own documents say here what CTRF has no word for.
    let raw = text(test, "rawStatus").unwrap_or_default();
    let (name, kind) = match (text(test, "status").unwrap_or("other"), raw) {
        ("passed", _) => return None,
        ("skipped" | "pending", "expected_failure") => ("skipped", "muletrain.ExpectedFailure"),
        (_, "not_run") => ("skipped", "muletrain.NotRun"),
        (_, "lost") => ("error", "muletrain.NotRun"),
        ("skipped" | "pending", _) => ("skipped", ""),
        ("failed", "unexpected_success") => ("failure", "muletrain.UnexpectedSuccess"),
        ("failed", "error") => ("error", "error"),
        ("failed", "crashed") => ("error", "muletrain.Crashed"),
        ("failed", "timed_out") => ("error", "muletrain.TimedOut"),
        ("failed", _) => ("failure", "failure"),
        _ => ("error", "error"),
    };
    Some(result(name, kind, message, trace))
}

/// Earlier tries that failed.
fn repeated(test: &Value) -> Vec<Element> {
    let flaky = text(test, "status") == Some("passed");
    let name = if flaky { "flakyFailure" } else { "rerunFailure" };
    let attempts = test.get("retryAttempts").and_then(Value::as_array).into_iter().flatten();
    let failed = attempts.filter(|attempt| text(attempt, "status") == Some("failed"));
    let told = failed.map(|attempt| {
        let message = text(attempt, "message").unwrap_or_default();
        let trace = text(attempt, "trace").unwrap_or_default();
        let trace = Element::new("stackTrace").with_text(trace);
        result(name, "failure", message, "").with_child(trace)
    });
    let told: Vec<Element> = told.collect();
    let untold =
        flaky && told.is_empty() && test.get("flaky").and_then(Value::as_bool) == Some(true);
    match untold {
        true => {
            vec![result(name, "failure", "the report tells nothing of the tries that failed", "")]
        }
        false => told,
    }
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}

/// Milliseconds; some tools write numbers as text.
fn milliseconds(value: &Value, field: &str) -> Option<f64> {
    let field = value.get(field)?;
    let number = field.as_f64().or_else(|| field.as_str()?.trim().parse().ok())?;
    number.is_finite().then(|| number.max(0.0))
}

fn lines(value: &Value, field: &str) -> Option<String> {
    match value.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) if !lines.is_empty() => {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            Some(lines.join("\n"))
        }
        _ => None,
    }
}
