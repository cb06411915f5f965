//! A comparison for people, and for scripts.

use serde_json::json;

use crate::pure::compare::{Comparison, Slower};
use crate::pure::style::Look;
use crate::pure::text::{fit, for_line};

/// Lines of a list.
const LINES: usize = 50;

/// A comparison for people.
#[must_use]
pub fn text(found: &Comparison, look: Look) -> String {
    let mut text = String::new();
    let lists = [
        (look.bad("Newly failing"), &found.broken),
        (look.bad("Not run any more"), &found.unrun),
        (look.odd("Newly flaky"), &found.flaky),
        (look.strong("Still failing"), &found.still),
        (look.good("Fixed"), &found.fixed),
        (look.strong("Added"), &found.added),
        (look.strong("Removed"), &found.removed),
    ];
    for (title, ids) in lists {
        let lines: Vec<String> = ids.iter().map(|id| for_line(id)).collect();
        section(&mut text, &title, &lines, look);
    }
    let slower: Vec<String> = found.slower.iter().map(slower).collect();
    section(&mut text, &look.odd("Slower"), &slower, look);
    if (found.pace - 1.0).abs() >= 0.1 {
        text += &format!("Tests take {:.2} times as long in general.\n", found.pace);
    }
    if text.is_empty() {
        text += "Nothing changed.\n";
    }
    text
}

fn section(text: &mut String, title: &str, lines: &[String], look: Look) {
    if lines.is_empty() {
        return;
    }
    *text += &format!("{title} ({})\n", lines.len());
    for line in lines.iter().take(LINES) {
        *text += &format!("  {}\n", fit(line, look.width.saturating_sub(2)));
    }
    if lines.len() > LINES {
        *text += &format!("  and {} more\n", lines.len() - LINES);
    }
    text.push('\n');
}

fn slower(one: &Slower) -> String {
    format!("{} → {}  {}", one.before, one.after, for_line(&one.id))
}

/// A comparison for scripts.
#[must_use]
pub fn json(found: &Comparison) -> String {
    let slower = |one: &Slower| json!({ "id": one.id, "before": one.before, "after": one.after });
    let document = json!({
        "muletrain_comparison": 1,
        "new_failures": found.broken,
        "fixed": found.fixed,
        "still_failing": found.still,
        "added": found.added,
        "removed": found.removed,
        "not_run_any_more": found.unrun,
        "newly_flaky": found.flaky,
        "slower": found.slower.iter().map(slower).collect::<Vec<_>>(),
        "pace": found.pace,
    });
    format!("{document:#}\n")
}
