//! Lines of a pytest-reportlog: each test has one for its set-up, its call and its teardown.

use std::collections::HashMap;

use serde_json::Value;

use super::{result, timestamp};
use crate::pure::junit::Element;

/// Tests that have begun.
#[derive(Debug, Default)]
pub struct Log {
    open: HashMap<String, Open>,
    /// Order in which tests began.
    begun: u64,
    /// Whether the session said that it ended.
    finished: bool,
}

/// A test that is not over.
#[derive(Debug, Default)]
struct Open {
    order: u64,
    start: Option<f64>,
    seconds: f64,
    results: Vec<Element>,
    reruns: Vec<Element>,
    sections: Vec<(String, String)>,
    properties: Vec<(String, String)>,
    location: (Option<String>, Option<u64>),
    worker: Option<String>,
}

impl Log {
    /// Takes the next line; gives back the case that is complete with it.
    pub fn line(&mut self, line: &Value) -> Option<Element> {
        match line.get("$report_type")?.as_str()? {
            "TestReport" => self.report(line),
            // A subtest that fails makes its test fail, whatever pytest says of that.
            "SubTestReport" | "SubtestReport" => {
                let id = line.get("nodeid")?.as_str()?;
                if line.get("outcome").and_then(Value::as_str) == Some("failed") {
                    self.begin(id).results.push(raised("failure", line));
                }
                None
            }
            "CollectReport" => collected(line),
            "SessionFinish" => {
                self.finished = true;
                None
            }
            _ => None,
        }
    }

    /// Whether the session said that it ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Tests that began and never ended, in the order they began.
    #[must_use]
    pub fn unfinished(self) -> Vec<Element> {
        let mut open: Vec<(String, Open)> = self.open.into_iter().collect();
        open.sort_by_key(|(_, open)| open.order);
        let lost = "not run: the log ends while it was running";
        let lost = |(id, mut open): (String, Open)| {
            open.results.push(match open.results.is_empty() {
                true => result("error", "muletrain.NotRun", lost, ""),
                false => {
                    result("error", "muletrain.CutOff", "the log ends before its teardown", "")
                }
            });
            open.case(&id)
        };
        open.into_iter().map(lost).collect()
    }

    fn begin(&mut self, id: &str) -> &mut Open {
        self.begun += 1;
        let order = self.begun;
        self.open.entry(id.to_owned()).or_insert_with(|| Open { order, ..Open::default() })
    }

    fn report(&mut self, line: &Value) -> Option<Element> {
        let id = line.get("nodeid")?.as_str()?;
        let when = line.get("when").and_then(Value::as_str).unwrap_or("call");
        let open = self.begin(id);
        open.take(line, when);
        match when {
            "teardown" => self.open.remove(id).map(|open| open.case(id)),
            _ => None,
        }
    }
}

impl Open {
    fn take(&mut self, line: &Value, when: &str) {
        self.seconds += line.get("duration").and_then(Value::as_f64).unwrap_or_default().max(0.0);
        let start = line.get("start").and_then(Value::as_f64);
        self.start = self.start.or(start);
        let worker = line.get("worker_id").and_then(Value::as_str);
        self.worker = worker.map(str::to_owned).or(self.worker.take());
        if let Some(Value::Array(location)) = line.get("location") {
            let file = location.first().and_then(Value::as_str).map(str::to_owned);
            // pytest counts lines from 0.
            self.location = (file, location.get(1).and_then(Value::as_u64).map(|line| line + 1));
        }
        // Sections and properties of earlier phases are said again.
        self.sections = pairs(line.get("sections"));
        self.properties = pairs(line.get("user_properties"));
        let expected = line.get("wasxfail").is_some();
        match line.get("outcome").and_then(Value::as_str).unwrap_or_default() {
            "skipped" if expected => {
                self.results.push(result("skipped", "pytest.xfail", &expectation(line), ""));
            }
            "skipped" => self.results.push(result("skipped", "pytest.skip", &reason(line), "")),
            "failed" if when == "call" => self.results.push(raised("failure", line)),
            "failed" => self.results.push(raised("error", line)),
            "rerun" => {
                let again = raised("rerunFailure", line);
                let trace = Element::new("stackTrace").with_text(again.text);
                self.reruns.push(Element { text: String::new(), ..again }.with_child(trace));
            }
            _ => {}
        }
    }

    fn case(self, id: &str) -> Element {
        let (class, name) = names(id);
        let red = self.results.iter().any(|one| one.name != "skipped");
        let mut case = Element::new("testcase")
            .with("classname", class)
            .with("name", name)
            .with("time", format!("{:.6}", self.seconds))
            .with_some("file", self.location.0)
            .with_some("line", self.location.1.map(|line| line.to_string()))
            .with_some("timestamp", self.start.map(|start| timestamp((start * 1e3) as i64)));
        let worker = self.worker.map(|worker| ("pytest.worker".to_owned(), worker));
        let said: Vec<(String, String)> = worker.into_iter().chain(self.properties).collect();
        if !said.is_empty() {
            let said = said.iter().map(|(name, value)| (name.as_str(), value.clone()));
            case.children.push(crate::pure::junit::properties(said));
        }
        case.children.extend(self.results);
        let again = if red { "rerunFailure" } else { "flakyFailure" };
        case.children
            .extend(self.reruns.into_iter().map(|one| Element { name: again.to_owned(), ..one }));
        for (element, stream) in [("system-out", "stdout"), ("system-err", "stderr")] {
            let of_stream = |(name, _): &&(String, String)| name.contains(stream);
            let texts = self.sections.iter().filter(of_stream).map(|(_, text)| text.as_str());
            let text: String = texts.collect();
            if !text.is_empty() {
                case.children.push(Element::new(element).with_text(text));
            }
        }
        case
    }
}

/// A module that could not be collected.
fn collected(line: &Value) -> Option<Element> {
    if line.get("outcome")?.as_str()? != "failed" {
        return None;
    }
    let id = line.get("nodeid").and_then(Value::as_str).unwrap_or_default();
    let case = Element::new("testcase").with("classname", "(collection)").with("name", id);
    Some(case.with("time", "0.000").with_child(raised("error", line)))
}

/// Class name and name, as pytest's own JUnit XML has them.
fn names(id: &str) -> (String, String) {
    let (path, parameters) = match id.find('[') {
        Some(start) => id.split_at(start),
        None => (id, ""),
    };
    let mut parts: Vec<&str> = path.split("::").collect();
    let name = parts.pop().unwrap_or_default();
    let class = parts.join("::").replace('/', ".");
    let class = class.replacen(".py", "", 1).replace("::", ".");
    (class, format!("{name}{parameters}"))
}

fn raised(name: &str, line: &Value) -> Element {
    let (kind, message, text) = match line.get("longrepr") {
        Some(Value::String(text)) => ("failure", last_line(text), text.clone()),
        Some(long) => {
            let crash = long.pointer("/reprcrash/message").and_then(Value::as_str);
            let message = crash.unwrap_or_default().lines().next().unwrap_or_default().to_owned();
            ("failure", message, traceback(long))
        }
        None => ("failure", String::new(), String::new()),
    };
    let exception = message.split_once(':').map(|(name, _)| name);
    let exception = exception.filter(|name| !name.is_empty() && !name.contains(' '));
    result(name, exception.unwrap_or(kind), &message, &text)
}

/// The traceback of a report, from what pytest made of its parts.
fn traceback(long: &Value) -> String {
    let entries = long.pointer("/reprtraceback/reprentries").and_then(Value::as_array);
    let mut text = String::new();
    for entry in entries.into_iter().flatten() {
        let data = entry.get("data").unwrap_or(entry);
        for line in data.get("lines").and_then(Value::as_array).into_iter().flatten() {
            text += line.as_str().unwrap_or_default();
            text.push('\n');
        }
        let place = |field: &str| data.pointer(&format!("/reprfileloc/{field}"));
        if let (Some(path), Some(line)) =
            (place("path").and_then(Value::as_str), place("lineno").and_then(Value::as_u64))
        {
            let message = place("message").and_then(Value::as_str).unwrap_or_default();
            text += &format!("\n{path}:{line}: {message}\n");
        }
    }
    text
}

fn reason(line: &Value) -> String {
    let said = match line.get("longrepr") {
        Some(Value::Array(parts)) => parts.get(2).and_then(Value::as_str),
        Some(Value::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let said = said.unwrap_or_default();
    said.strip_prefix("Skipped: ").unwrap_or(said).to_owned()
}

fn expectation(line: &Value) -> String {
    line.get("wasxfail").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn last_line(text: &str) -> String {
    text.trim_end().lines().next_back().unwrap_or_default().trim().to_owned()
}

fn pairs(value: Option<&Value>) -> Vec<(String, String)> {
    let pair = |pair: &Value| {
        let name = pair.get(0)?.as_str()?.to_owned();
        let value = pair.get(1)?;
        Some((name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    };
    let all = value.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(pair).collect()
}
