//! Runs over time, flaky tests and slowest tests: for people, and for scripts.

use muletrain_proto::seconds::Seconds;
use serde_json::{Value, json};

use crate::pure::history::{History, Mark, Run, Test};
use crate::pure::slowest::Slow;
use crate::pure::style::Look;
use crate::pure::text::{fit, for_line, plural};

/// Lines of a list.
const LINES: usize = 50;

/// Runs of a strip.
const STRIP: usize = 30;

/// Runs, and tests that were in trouble in any of them.
#[must_use]
pub fn text(history: &History, look: Look) -> String {
    let mut text = String::new();
    for run in &history.runs {
        text += &format!("{}\n", fit(&run_line(run), look.width));
    }
    let troubled = history.troubled();
    if !troubled.is_empty() {
        text += &format!("\n{} ({})\n", look.strong("Not always green"), troubled.len());
        text += &look.faint("  oldest first: . passed, F red, ~ flaky, - skipped or not run\n");
        strips(&mut text, &troubled, look);
    }
    text
}

/// Flaky tests.
#[must_use]
pub fn flaky(history: &History, look: Look) -> String {
    let flaky = history.flaky();
    if flaky.is_empty() {
        return format!("No flaky test in {}.\n", plural(history.runs.len(), "result"));
    }
    let runs = plural(history.runs.len(), "result");
    let mut text = format!("{} in {runs}\n", look.odd(&plural(flaky.len(), "flaky test")));
    strips(&mut text, &flaky, look);
    text
}

fn strips(text: &mut String, tests: &[(&str, &Test)], look: Look) {
    for (id, test) in tests.iter().take(LINES) {
        let strip: Vec<char> = test.strip().chars().collect();
        let strip: String = strip[strip.len().saturating_sub(STRIP)..].iter().collect();
        let line = format!("  [{strip}]  {}", for_line(id));
        *text += &format!("{}\n", fit(&line, look.width));
    }
    if tests.len() > LINES {
        *text += &format!("  and {} more\n", tests.len() - LINES);
    }
}

fn run_line(run: &Run) -> String {
    let counts = &run.counts;
    let wall = run.wall.map(|wall| format!(" in {wall}")).unwrap_or_default();
    let commit = run.commit.as_deref().map(|commit| commit.get(..10).unwrap_or(commit));
    format!(
        "{}  {}{wall}, {} red, {} flaky, {} not run  exit {}  {}",
        for_line(&run.name),
        plural(counts.tests() as usize, "test"),
        counts.red(),
        counts.flaky,
        counts.not_run + counts.lost,
        run.exit.status(),
        for_line(commit.unwrap_or_default()),
    )
}

/// The same for scripts.
#[must_use]
pub fn json(history: &History) -> String {
    let tests = history.tests.iter().map(|(id, test)| entry(id, test));
    document(history, &tests.collect::<Vec<Value>>())
}

/// Flaky tests for scripts.
#[must_use]
pub fn flaky_json(history: &History) -> String {
    let tests = history.flaky().into_iter().map(|(id, test)| entry(id, test));
    document(history, &tests.collect::<Vec<Value>>())
}

fn document(history: &History, tests: &[Value]) -> String {
    let run = |run: &Run| {
        json!({
            "run": run.name,
            "commit": run.commit,
            "opened_at": run.opened,
            "seconds": run.wall,
            "tests": run.counts.tests(),
            "counts": run.counts,
            "exit_code": run.exit.status(),
        })
    };
    let runs: Vec<Value> = history.runs.iter().map(run).collect();
    let document = json!({ "muletrain_history": 1, "runs": runs, "tests": tests });
    format!("{document:#}\n")
}

fn entry(id: &str, test: &Test) -> Value {
    json!({
        "id": id,
        "strip": test.strip(),
        "passed": test.count(Mark::Passed),
        "flaky": test.count(Mark::Flaky),
        "red": test.count(Mark::Red),
        "seconds": test.seconds,
    })
}

/// The slowest of something.
#[must_use]
pub fn slowest(slow: &[Slow], look: Look) -> String {
    let total: Seconds = slow.iter().map(|one| one.seconds).sum();
    let mut text = String::new();
    for one in slow {
        let tests = if one.tests == 1 { String::new() } else { format!("  ({} tests)", one.tests) };
        let line = format!("{:>8}  {}{tests}", one.seconds.to_string(), for_line(&one.name));
        text += &format!("{}\n", fit(&line, look.width));
    }
    text += &format!("{:>8}  {}\n", total.to_string(), look.strong("together"));
    text
}

/// The same for scripts.
#[must_use]
pub fn slowest_json(slow: &[Slow]) -> String {
    let one = |one: &Slow| json!({ "name": one.name, "seconds": one.seconds, "tests": one.tests });
    let document =
        json!({ "muletrain_slowest": 1, "slowest": slow.iter().map(one).collect::<Vec<_>>() });
    format!("{document:#}\n")
}
