//! What changed since an earlier result, and how runs went before this one.

use std::collections::HashSet;

use muletrain_proto::seconds::Seconds;
use serde_json::{Map, Value};

use super::Section;
use super::markup::{Markup, link};
use super::overview::{grouped, moment, more, share};
use crate::pure::compare::{Comparison, Slower};
use crate::pure::history::{History, Mark, Run, Test};
use crate::render::terminal::conclusion;

/// Tests of one kind of change that are named.
const NAMES: usize = 200;

/// Runs that are shown, the latest.
const RUNS: usize = 30;

/// Tests whose strips are shown, and known to the page.
const STRIPS: (usize, usize) = (100, 5000);

/// Ids of the tests of the report.
pub(super) type Known<'a> = HashSet<&'a str>;

/// What changed since an earlier result.
pub(super) fn comparison(name: &str, found: &Comparison, known: &Known<'_>) -> Section {
    let mut body = Markup::default();
    body.constant("<p class=\"hint\">Against ").leaf("code", &[], name);
    if (found.pace - 1.0).abs() > 0.01 {
        let pace = format!(
            ". Tests in general take {:.2} times as long, which is taken out of what is called slower",
            found.pace
        );
        body.text(&pace);
    }
    body.constant(".</p>");
    let lists: [(&str, &str, &[String]); 7] = [
        ("Fails now and did not", "failed", &found.broken),
        ("Fixed", "passed", &found.fixed),
        ("Still failing", "error", &found.still),
        ("Flaky now and was not", "flaky", &found.flaky),
        ("Ran before and does not now", "not_run", &found.unrun),
        ("New", "unexpected_success", &found.added),
        ("Gone", "skipped", &found.removed),
    ];
    for (title, mark, names) in lists {
        let is_first = mark == "failed";
        change(&mut body, title, mark, names.len(), is_first, |body| {
            for name in names.iter().take(NAMES) {
                body.constant("<li>");
                named(body, name, known);
                body.constant("</li>");
            }
        });
    }
    change(&mut body, "Slower", "timed_out", found.slower.len(), false, |body| {
        for Slower { id, before, after } in found.slower.iter().take(NAMES) {
            body.constant("<li>");
            named(body, id, known);
            let times = format!(" {} → {}", in_seconds(*before), in_seconds(*after));
            body.leaf("span", &[("class", "faint")], &times).constant("</li>");
        }
    });
    Section { id: "compare", title: "Changes", count: Some(found.broken.len()), body }
}

/// A test, with a link to it where it is in this report; what went wrong outside of tests is none.
fn named(body: &mut Markup, name: &str, known: &Known<'_>) {
    match known.contains(name) {
        true => body.leaf("a", &[("href", &link(name, None))], name),
        false => body.text(name),
    };
}

fn in_seconds(time: Seconds) -> String {
    format!("{:.2} s", time.get())
}

fn change(
    body: &mut Markup,
    title: &str,
    mark: &str,
    count: usize,
    open: bool,
    names: impl FnOnce(&mut Markup),
) {
    if count == 0 {
        return;
    }
    let closed = [("class", "plain")];
    let opened = [("class", "plain"), ("open", "")];
    body.within("details", if open { &opened } else { &closed }, |body| {
        body.constant("<summary>").mark(mark).text(title);
        body.leaf("span", &[("class", "count")], &grouped(count)).constant("</summary><ul>");
        names(body);
        more(body, count.saturating_sub(NAMES));
        body.constant("</ul>");
    });
}

/// Runs in their order, and tests that were not always green in them.
pub(super) fn history(history: &History, known: &Known<'_>) -> Option<Section> {
    if history.runs.is_empty() {
        return None;
    }
    let mut body = Markup::default();
    let first = history.runs.len().saturating_sub(RUNS);
    let longest = history.runs[first..].iter().filter_map(|run| run.wall).map(Seconds::get);
    let longest = longest.fold(0.001, f64::max);
    body.constant("<div class=\"scroll\" tabindex=\"0\"><table class=\"runs-table\"><thead><tr>");
    for head in ["Run", "Began", "Came to", "Red", "Flaky", "Tests", "Took"] {
        body.leaf("th", &[("scope", "col")], head);
    }
    body.constant("<th scope=\"col\"><span class=\"hidden\">Share</span></th></tr></thead><tbody>");
    history.runs[first..].iter().rev().for_each(|run| run_row(&mut body, run, longest));
    body.constant("</tbody></table></div>");
    let troubled = history.troubled();
    if !troubled.is_empty() {
        body.constant(
            "<h3>Not always green</h3><p class=\"hint\">The oldest run is on the left.</p>",
        );
        body.constant("<ul class=\"strips\">");
        for (id, test) in troubled.iter().take(STRIPS.0) {
            body.constant("<li>");
            strip(&mut body, test, first);
            body.constant("<span class=\"name\">");
            named(&mut body, id, known);
            body.constant("</span></li>\n");
        }
        more(&mut body, troubled.len().saturating_sub(STRIPS.0));
        body.constant("</ul>");
    }
    Some(Section { id: "history", title: "History", count: Some(history.runs.len()), body })
}

fn run_row(body: &mut Markup, run: &Run, longest: f64) {
    let counts = &run.counts;
    body.constant("<tr>").leaf("td", &[("class", "name")], &run.name);
    body.leaf("td", &[("class", "faint")], &moment(run.opened).unwrap_or_default());
    let class = if counts.red() > 0 { "bad" } else { "" };
    body.leaf("td", &[("class", class)], conclusion(run.exit));
    for number in [counts.red(), counts.flaky, counts.tests()] {
        body.leaf("td", &[("class", "time")], &grouped(number as usize));
    }
    let wall = run.wall.map(|wall| wall.to_string()).unwrap_or_default();
    body.leaf("td", &[("class", "time")], &wall).constant("<td class=\"bar\">");
    let part = (run.wall.map_or(0.0, Seconds::get) / longest * 1000.0) as usize;
    share(body, &[("work", part), ("nothing", 1000 - part.min(1000))], 1000);
    body.constant("</td></tr>\n");
}

/// A square for each run.
fn strip(body: &mut Markup, test: &Test, first: usize) {
    let marks = &test.marks[first.min(test.marks.len())..];
    let view = format!("0 0 {} 14", marks.len() * 9);
    let width = (marks.len() * 9).to_string();
    let text = format!(
        "red {}, flaky {}, passed {} of {} runs",
        test.count(Mark::Red),
        test.count(Mark::Flaky),
        test.count(Mark::Passed),
        test.marks.len()
    );
    let attributes = [
        ("class", "strip"),
        ("viewBox", view.as_str()),
        ("width", &width),
        ("role", "img"),
        ("aria-label", &text),
    ];
    body.within("svg", &attributes, |svg| {
        for (mark, class) in [
            (Mark::Passed, "fill-passed"),
            (Mark::Flaky, "fill-flaky"),
            (Mark::Red, "fill-failed"),
            (Mark::Quiet, "fill-skipped"),
        ] {
            let squares = marks.iter().enumerate().filter(|(_, one)| **one == mark);
            // Red is higher than the rest, so that it can be told without its colour.
            let shape = if mark == Mark::Red { "0h8v14h-8z" } else { "4h8v10h-8z" };
            let path: String =
                squares.map(|(index, _)| format!("M{} {shape}", index * 9)).collect();
            if !path.is_empty() {
                svg.within("path", &[("class", class), ("d", &path)], |_| {});
            }
        }
    });
}

/// The strips of tests that were not always green, for where a single test is shown.
pub(super) fn strips(history: &History) -> Value {
    let troubled = history.troubled().into_iter().take(STRIPS.1);
    let strips: Map<String, Value> =
        troubled.map(|(id, test)| (id.to_owned(), test.strip().into())).collect();
    Value::Object(strips)
}
