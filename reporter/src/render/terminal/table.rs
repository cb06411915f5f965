//! Where the time went: the slowest tests, and every app.

use muletrain_proto::id::AgentId;
use unicode_width::UnicodeWidthStr;

use super::Page;
use crate::pure::summary::{AppReport, Summary, TestReport};
use crate::pure::text::{fit, for_line, pad};

/// How many of the slowest tests are shown.
const SLOWEST: usize = 5;

/// Columns of a number.
const NUMBER: usize = 8;

/// Names of agents that need more columns than this are given as their number.
const AGENTS: usize = 30;

pub(super) fn slowest(page: &mut Page, summary: &Summary) {
    let time = |test: &&TestReport| test.decisive.seconds.unwrap_or_default().get();
    let mut tests: Vec<&TestReport> =
        summary.tests.iter().filter(|test| test.decisive.seconds.is_some()).collect();
    tests.sort_by(|one, other| time(other).total_cmp(&time(one)));
    tests.truncate(SLOWEST);
    if tests.is_empty() {
        return;
    }
    page.section("Slowest");
    for test in tests {
        let seconds = test.decisive.seconds.unwrap_or_default().to_string();
        page.line(&format!("{seconds:>NUMBER$}  {}", for_line(test.id.as_str())));
    }
}

pub(super) fn apps(page: &mut Page, summary: &Summary) {
    if summary.apps.is_empty() {
        return;
    }
    page.section("Apps");
    let longest = summary.apps.iter().map(|app| for_line(app.label.as_str()).width()).max();
    let room = page.look.width.saturating_sub(5 * (NUMBER + 1) + 10).max(10);
    let name = longest.unwrap_or_default().clamp(3, room);
    let head = ["tests", "red", "not run", "time", "set-up"];
    let head: String = head.iter().map(|title| format!(" {title:>NUMBER$}")).collect();
    let head = page.look.faint(&format!("{}{head}  agent", pad("app", name)));
    page.line(&head);
    for app in &summary.apps {
        let line = row(page, app, name);
        page.line(&line);
    }
}

fn row(page: &Page, app: &AppReport, name: usize) -> String {
    let counts = &app.counts;
    let number = |number: u32| format!(" {number:>NUMBER$}");
    let red = match counts.red() {
        0 => number(0),
        red => page.look.bad(&number(red)),
    };
    let agents = app.agents.iter().map(AgentId::as_str).collect::<Vec<_>>().join(", ");
    let agents = match agents.width() > AGENTS {
        true => format!("{} agents", app.agents.len()),
        false => agents,
    };
    let used = name + 5 * (NUMBER + 1) + 2;
    format!(
        "{}{}{red}{} {:>NUMBER$} {:>NUMBER$}  {}",
        pad(&for_line(app.label.as_str()), name),
        number(counts.tests()),
        number(counts.not_run + counts.lost),
        app.work.to_string(),
        app.setup.to_string(),
        fit(&agents, page.look.width.saturating_sub(used).max(8)),
    )
}
