//! Lines of a pytest-reportlog: each test has one for its set-up, its call and its teardown.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{result, timestamp};
use crate::pure::junit::Element;

/// Tests that are held until they are over. That is more than run at once anywhere; of a log
/// without teardowns, the oldest is told as it is.
const OPEN: usize = 4096;

/// Bytes that they may take together.
const HELD: usize = 64 << 20;

/// Bytes that one of them may take, and results and reruns that it may have.
const ONE: (usize, usize) = (16 << 20, 10_000);

/// Tests that have begun.
#[derive(Debug, Default)]
pub struct Log {
    open: HashMap<String, Open>,
    /// Names of those that are open, in the order they began.
    order: BTreeMap<u64, String>,
    /// Bytes that those take.
    held: usize,
    /// Results that were too many or too large for one test.
    pub left_out: u64,
    /// Order in which tests began.
    begun: u64,
    /// Whether the session said that it ended.
    finished: bool,
}

/// A test that is not over.
#[derive(Debug, Default)]
struct Open {
    order: u64,
    /// Bytes of its name and its texts.
    held: usize,
    /// Results that there was no room for.
    left_out: u64,
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
    /// Takes the next line; gives back the cases that are complete with it.
    pub fn line(&mut self, line: &Value) -> Vec<Element> {
        let complete = self.take(line);
        let over = std::iter::from_fn(|| self.over());
        over.collect::<Vec<_>>().into_iter().chain(complete).collect()
    }

    fn take(&mut self, line: &Value) -> Option<Element> {
        match line.get("$report_type")?.as_str()? {
            "TestReport" => self.report(line),
            // A subtest that fails makes its test fail, whatever pytest says of that.
            "SubTestReport" | "SubtestReport" => {
                let id = line.get("nodeid")?.as_str()?;
                if line.get("outcome").and_then(Value::as_str) == Some("failed") {
                    self.change(id, |open| open.result(raised("failure", line)));
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
    pub fn unfinished(&mut self) -> Vec<Element> {
        let lost = "not run: the log ends while it was running";
        std::iter::from_fn(|| self.oldest(lost, "the log ends before its teardown")).collect()
    }

    /// The oldest of the open ones, where they are too many or too large.
    fn over(&mut self) -> Option<Element> {
        let over = self.open.len() > OPEN || self.held > HELD;
        let lost = "not run: too many tests are open to wait for its end";
        over.then(|| self.oldest(lost, "too many tests are open to wait for its teardown"))?
    }

    /// Ends the oldest of the open ones: what is said where nothing is known of it, and where
    /// something is.
    fn oldest(&mut self, lost: &str, cut: &str) -> Option<Element> {
        let (_, id) = self.order.pop_first()?;
        let mut open = self.open.remove(&id)?;
        self.held -= open.held;
        open.results.push(match open.results.is_empty() {
            true => result("error", "muletrain.NotRun", lost, ""),
            false => result("error", "muletrain.CutOff", cut, ""),
        });
        Some(open.case(&id))
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Open)) {
        if !self.open.contains_key(id) {
            self.begun += 1;
            self.order.insert(self.begun, id.to_owned());
            let open = Open { order: self.begun, held: id.len(), ..Open::default() };
            self.held += id.len();
            self.open.insert(id.to_owned(), open);
        }
        let Some(open) = self.open.get_mut(id) else { return };
        let before = open.held;
        change(open);
        self.left_out += std::mem::take(&mut open.left_out);
        self.held = self.held + open.held - before;
    }

    fn report(&mut self, line: &Value) -> Option<Element> {
        let id = line.get("nodeid")?.as_str()?;
        let when = line.get("when").and_then(Value::as_str).unwrap_or("call");
        self.change(id, |open| open.take(line, when));
        if when != "teardown" {
            return None;
        }
        let open = self.open.remove(id)?;
        self.order.remove(&open.order);
        self.held -= open.held;
        Some(open.case(id))
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
        self.held -= size(&self.sections) + size(&self.properties);
        self.sections = pairs(line.get("sections"));
        self.properties = pairs(line.get("user_properties"));
        self.held += size(&self.sections) + size(&self.properties);
        let expected = line.get("wasxfail").is_some();
        match line.get("outcome").and_then(Value::as_str).unwrap_or_default() {
            "skipped" if expected => {
                self.result(result("skipped", "pytest.xfail", &expectation(line), ""));
            }
            "skipped" => self.result(result("skipped", "pytest.skip", &reason(line), "")),
            "failed" if when == "call" => self.result(raised("failure", line)),
            "failed" => self.result(raised("error", line)),
            "rerun" => {
                let again = raised("rerunFailure", line);
                let trace = Element::new("stackTrace").with_text(again.text);
                let again = Element { text: String::new(), ..again }.with_child(trace);
                if self.has_room(&again) {
                    self.reruns.push(again);
                }
            }
            _ => {}
        }
    }

    /// Takes a result. The first of a kind decides how the test ended, and always has room.
    fn result(&mut self, result: Element) {
        let known = self.results.iter().any(|one| one.name == result.name);
        if self.has_room(&result) || !known {
            self.results.push(result);
        }
    }

    fn has_room(&mut self, result: &Element) -> bool {
        let texts = result.children.iter().map(|child| child.text.len());
        let values = result.attributes.iter().map(|(_, value)| value.len());
        let size: usize = texts.chain(values).sum::<usize>() + result.text.len();
        let fits = self.held + size <= ONE.0 && self.results.len() + self.reruns.len() < ONE.1;
        match fits {
            true => self.held += size,
            false => self.left_out += 1,
        }
        fits
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

fn size(pairs: &[(String, String)]) -> usize {
    pairs.iter().map(|(name, value)| name.len() + value.len()).sum()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: &str, number: usize) -> Value {
        let text = "x".repeat(1 << 20);
        serde_json::json!({
            "$report_type": kind, "nodeid": format!("a.py::t{number}"), "when": "call",
            "outcome": "failed", "longrepr": {"reprcrash": {"message": text}},
        })
    }

    #[test]
    fn tests_that_are_open_take_so_much_room_and_no_more() {
        let mut log = Log::default();
        let told: usize =
            (0..100).map(|number| log.line(&failed("TestReport", number)).len()).sum();
        assert!(told > 30 && log.held <= HELD, "{told} told, {} held", log.held);
        assert_eq!(told + log.unfinished().len(), 100);
        assert_eq!((log.held, log.order.len()), (0, 0));
    }

    #[test]
    fn of_one_test_so_much_is_kept_and_its_verdict() {
        let mut log = Log::default();
        (0..40).for_each(|_| drop(log.line(&failed("SubTestReport", 0))));
        assert!(log.held <= ONE.0 && log.left_out > 20, "{} left out", log.left_out);
        let cases = log.unfinished();
        assert!(cases[0].all("failure").count() > 10);
    }
}
