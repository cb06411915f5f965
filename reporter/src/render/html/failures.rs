//! Everything that is red, by cause, in HTML that needs no script.

use std::ops::Range;

use muletrain_proto::outcome::{Failure, Output};
use muletrain_proto::verdict::Verdict;

use super::Section;
use super::ansi::unmarked;
use super::attempts::coloured;
use super::cause::{Cause, headline};
use super::columns::outcome;
use super::lists::precise;
use super::markup::{Markup, encoded, link};
use super::overview::{grouped, in_words};
use crate::pure::summary::{Problem, Summary, TestReport, Try};
use crate::pure::text::plural;

/// Bytes of this section after which the rest is only counted; the list of all tests has it.
const ROOM: usize = 160 << 10;

/// Causes that are seen at once.
const FIRST: usize = 12;

/// Bytes of a text.
const TEXT: usize = 16 << 10;

/// Tests of one cause that are shown in full, and by name.
const TESTS: (usize, usize) = (5, 25);

/// What is red, and what went wrong outside of tests.
pub(super) fn section(summaries: &[&Summary], causes: &[Cause]) -> Section {
    let mut body = Markup::default();
    let problems: Vec<(&Summary, &Problem)> = summaries
        .iter()
        .flat_map(|summary| summary.problems.iter().map(move |problem| (*summary, problem)))
        .collect();
    let tests: usize = causes.iter().map(|cause| cause.tests.len()).sum();
    if problems.is_empty() && causes.is_empty() {
        body.constant("<p class=\"hint\">Nothing is red.</p>");
    }
    if !causes.is_empty() {
        let count = format!("{} of {}", plural(tests, "red test"), plural(causes.len(), "cause"));
        body.leaf("p", &[("class", "hint")], &count);
    }
    let mut shown = 0;
    for (summary, problem) in &problems {
        if body.len() > ROOM {
            break;
        }
        of_problem(&mut body, summary, problem, shown == 0);
        shown += 1;
    }
    left_out(&mut body, problems.len() - shown, "error outside of tests");
    let first = some_causes(&mut body, summaries, causes, 0..FIRST, problems.is_empty());
    if causes.len() > first {
        let mut rest = Markup::default();
        let more = some_causes(&mut rest, summaries, causes, first..causes.len(), false);
        details(&mut body, "plain", false, |body| {
            let title = format!("{} more", plural(causes.len() - first, "cause"));
            body.leaf("summary", &[], &title).append(&rest);
            left_out(body, causes.len() - first - more, "cause");
        });
    }
    Section { id: "failures", title: "Failures", count: Some(tests + problems.len()), body }
}

/// Causes in full, as far as there is room; gives back how many.
fn some_causes(
    body: &mut Markup,
    summaries: &[&Summary],
    causes: &[Cause],
    range: Range<usize>,
    open: bool,
) -> usize {
    let mut shown = 0;
    for (number, cause) in causes.iter().enumerate().take(range.end).skip(range.start) {
        if body.len() > ROOM {
            break;
        }
        of_cause(body, summaries, cause, number, open && number == 0);
        shown += 1;
    }
    shown
}

fn left_out(body: &mut Markup, number: usize, thing: &str) {
    if number > 0 {
        let text = format!("and {} more; ", plural(number, thing));
        body.constant("<p class=\"more\">")
            .text(&text)
            .constant("<a href=\"#q=verdict:red\">the list of all tests has every red one</a></p>");
    }
}

fn of_cause(body: &mut Markup, all: &[&Summary], cause: &Cause, number: usize, open: bool) {
    let tests: Vec<(usize, &Summary, &TestReport)> =
        cause.tests.iter().map(|(run, test)| (*run, all[*run], &all[*run].tests[*test])).collect();
    let (_, first_summary, first) = tests[0];
    details(body, "cause", open, |body| {
        body.constant("<summary>").mark(outcome(first));
        body.constant("<span class=\"what\">").leaf("span", &[("class", "title")], &cause.title);
        let mut about = apps(&tests);
        if let Some(place) = &cause.place {
            about = format!("{about} · {place}");
        }
        if tests.len() == 1 {
            body.leaf("span", &[("class", "about")], first.id.as_str());
        }
        body.leaf("span", &[("class", "about")], &about).constant("</span>");
        let count =
            format!("{} {}", grouped(tests.len()), if tests.len() == 1 { "test" } else { "tests" });
        body.leaf("span", &[("class", "number")], &count).constant("</summary>");
        if tests.len() == 1 {
            of_test(body, first_summary, first, run_of(all, 0, &tests));
            return;
        }
        for (index, (_, summary, test)) in tests.iter().take(TESTS.0).enumerate() {
            if index > 0 && body.len() > ROOM {
                break;
            }
            details(body, "one", index == 0, |body| {
                body.constant("<summary>").mark(outcome(test));
                body.leaf("span", &[("class", "name")], test.id.as_str()).constant("</summary>");
                of_test(body, summary, test, run_of(all, index, &tests));
            });
        }
        names(body, all, &tests, number);
    });
}

/// The rest of the tests of a cause, by name.
fn names(
    body: &mut Markup,
    all: &[&Summary],
    tests: &[(usize, &Summary, &TestReport)],
    cause: usize,
) {
    body.constant("<ul class=\"names\">");
    for (index, (_, _, test)) in tests.iter().enumerate().skip(TESTS.0).take(TESTS.1) {
        let address = link(test.id.as_str(), run_of(all, index, tests));
        body.constant("<li>").mark(outcome(test));
        body.leaf("a", &[("href", &address)], test.id.as_str()).constant("</li>");
    }
    let address = format!("#q={}", encoded(&format!("cause:{}", cause + 1)));
    let text = format!("all {} in the list of tests", grouped(tests.len()));
    body.constant("<li>").leaf("a", &[("href", &address)], &text).constant("</li></ul>");
}

/// Which run a link has to name: none where there is only one.
fn run_of(
    all: &[&Summary],
    index: usize,
    tests: &[(usize, &Summary, &TestReport)],
) -> Option<usize> {
    (all.len() > 1).then(|| tests[index].0)
}

fn apps(tests: &[(usize, &Summary, &TestReport)]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (_, summary, test) in tests {
        let app = summary.class(test).app.as_str();
        if !names.contains(&app) {
            names.push(app);
        }
        if names.len() > 4 {
            break;
        }
    }
    let more = if names.len() > 4 { ", …" } else { "" };
    names.truncate(4);
    format!("{}{more}", names.join(", "))
}

/// Where a test ran, and each of its tries.
fn of_test(body: &mut Markup, summary: &Summary, test: &TestReport, run: Option<usize>) {
    let class = summary.class(test);
    let line = test.line.or(class.line).map(|line| format!(":{line}")).unwrap_or_default();
    let file = class.file.as_ref().map(|file| format!("{file}{line}"));
    body.constant("<p class=\"place\">");
    body.leaf("a", &[("href", &link(test.id.as_str(), run))], "Everything about this test");
    for part in [Some(format!("app {}", class.app)), file].into_iter().flatten() {
        body.text(" · ").text(&part);
    }
    body.constant("</p>");
    let mut tries: Vec<&Try> = test.others.iter().chain([&test.decisive]).collect();
    tries.sort_by_key(|one| one.number);
    let many = tries.len() > 1;
    for one in tries {
        of_try(body, summary, one, many);
    }
}

fn of_try(body: &mut Markup, summary: &Summary, one: &Try, many: bool) {
    let agent = summary.agent(one.lease).map(|agent| format!("on {agent}"));
    let time = one.seconds.map(|time| format!("after {}", precise(time)));
    let about = [agent, time].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if many || !about.is_empty() {
        body.constant("<p class=\"try\">");
        if many {
            body.leaf("b", &[], &format!("Try {}", one.number)).text(" ");
        }
        body.text(&in_words(one.verdict.as_str())).text(" ").text(&about).constant("</p>");
    }
    let is_said = |reason: &&String| one.failures.iter().any(|one| one.message == **reason);
    if let Some(reason) = one.reason.as_ref().filter(|reason| !is_said(reason)) {
        body.leaf("p", &[], reason);
    }
    raised(body, &one.failures);
    if one.verdict != Verdict::Passed || many {
        printed(body, &one.output);
    }
}

fn raised(body: &mut Markup, failures: &[Failure]) {
    for failure in failures {
        if let Some(subtest) = &failure.subtest {
            body.leaf("p", &[("class", "subtest")], &format!("in subtest {subtest}"));
        }
        let traceback = coloured(&failure.traceback, TEXT);
        let plain = unmarked(&traceback);
        if !plain.contains(failure.message.trim()) || plain.trim().is_empty() {
            body.leaf("p", &[("class", "message")], &headline(failure));
        }
        text(body, "trace", &traceback);
    }
}

fn printed(body: &mut Markup, output: &Output) {
    if output.text.trim().is_empty() {
        return;
    }
    let omitted = match output.omitted {
        0 => String::new(),
        omitted => format!(", {omitted} bytes omitted from its middle"),
    };
    details(body, "printed", false, |body| {
        body.leaf("summary", &[], &format!("Printed{omitted}"));
        text(body, "output", &coloured(&output.text, TEXT));
    });
}

fn text(body: &mut Markup, class: &'static str, text: &str) {
    if !text.trim().is_empty() {
        body.within("pre", &[("class", class), ("tabindex", "0")], |pre| {
            pre.lines(text.trim_end());
        });
    }
}

fn of_problem(body: &mut Markup, summary: &Summary, problem: &Problem, open: bool) {
    details(body, "cause", open, |body| {
        body.constant("<summary>").mark(problem.verdict.as_str());
        let title = problem.failures.first().map(headline).unwrap_or_default();
        body.constant("<span class=\"what\">").leaf("span", &[("class", "title")], &title);
        body.leaf("span", &[("class", "about")], &problem.id).constant("</span>");
        body.constant("<span class=\"number\">outside of tests</span></summary>");
        let agent = summary.agent(problem.lease).map(|agent| format!("on {agent}"));
        let app = problem.app.as_ref().map(|app| format!("app {app}"));
        let place = [app, agent].into_iter().flatten().collect::<Vec<_>>().join(", ");
        if !place.is_empty() {
            body.leaf("p", &[("class", "place")], &place);
        }
        raised(body, &problem.failures);
        printed(body, &problem.output);
    });
}

fn details(body: &mut Markup, class: &'static str, open: bool, inside: impl FnOnce(&mut Markup)) {
    let closed = [("class", class)];
    let opened = [("class", class), ("open", "")];
    body.within("details", if open { &opened } else { &closed }, inside).constant("\n");
}
