//! Lists of what is worth knowing beside what failed: flaky, slow, apps, and what is around tests.

use std::collections::BTreeMap;

use muletrain_proto::id::AgentId;
use muletrain_proto::seconds::Seconds;

use super::Section;
use super::cause::headline;
use super::columns::outcome;
use super::markup::{Markup, encoded, link};
use super::overview::{grouped, in_words, more, share};
use crate::pure::slowest::{By, Slow, slowest as find};
use crate::pure::summary::{AppReport, Summary};

/// Flaky tests that are listed.
const FLAKY: usize = 200;

/// Lines of a list of slow things.
const SLOW: usize = 20;

/// Lines of other lists.
const LINES: usize = 100;

/// Tests that failed before they passed, with each try.
pub(super) fn flaky(summaries: &[&Summary]) -> Option<Section> {
    let found: Vec<_> = summaries
        .iter()
        .enumerate()
        .flat_map(|(run, summary)| summary.tests.iter().map(move |test| (run, *summary, test)))
        .filter(|(_, _, test)| test.outcome.flaky)
        .collect();
    if found.is_empty() {
        return None;
    }
    let mut body = Markup::default();
    body.constant("<ul class=\"list\">");
    for (run, summary, test) in found.iter().take(FLAKY) {
        let run = (summaries.len() > 1).then_some(*run);
        body.constant("<li>").mark("flaky").constant("<div>");
        body.leaf("a", &[("href", &link(test.id.as_str(), run))], test.id.as_str());
        body.constant("<ol class=\"tries\">");
        let mut tries: Vec<_> = test.others.iter().chain([&test.decisive]).collect();
        tries.sort_by_key(|one| one.number);
        for one in tries {
            let agent = summary.agent(one.lease).map(|agent| format!(" on {agent}"));
            let time = one.seconds.map(|time| format!(" after {}", precise(time)));
            let why = one.failures.first().map(|failure| format!(": {}", headline(failure)));
            let about = [agent, time, why].into_iter().flatten().collect::<String>();
            let text = format!("Try {} {}{about}", one.number, in_words(one.verdict.as_str()));
            body.leaf("li", &[], &text);
        }
        body.constant("</ol></div></li>\n");
    }
    more(&mut body, found.len().saturating_sub(FLAKY));
    body.constant("</ul>");
    Some(Section { id: "flaky", title: "Flaky", count: Some(found.len()), body })
}

/// Where the time of tests goes.
pub(super) fn slowest(summaries: &[&Summary]) -> Option<Section> {
    let tests = find(summaries, By::Test, SLOW);
    if tests.is_empty() {
        return None;
    }
    let mut body = Markup::default();
    body.constant("<div class=\"columns\">");
    slow(&mut body, "Tests", &tests, |name| link(name, None));
    let classes = find(summaries, By::Class, SLOW);
    slow(&mut body, "Classes", &classes, |name| query("class", name));
    let files = find(summaries, By::File, SLOW);
    slow(&mut body, "Files", &files, |name| query("file", name));
    body.constant("</div>");
    Some(Section { id: "slowest", title: "Slowest", count: None, body })
}

/// The address of the list of tests, filtered.
fn query(key: &str, value: &str) -> String {
    format!("#q={}", encoded(&format!("{key}:\"{}\"", value.replace('"', ""))))
}

fn slow(body: &mut Markup, title: &str, found: &[Slow], address: impl Fn(&str) -> String) {
    let most = found.first().map_or(1.0, |slow| slow.seconds.get()).max(0.001);
    body.constant("<div class=\"scroll\" tabindex=\"0\"><table><caption>").text(title);
    body.constant("</caption><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Time</th>");
    body.constant("<th scope=\"col\"><span class=\"hidden\">Share</span></th></tr></thead><tbody>");
    for one in found {
        body.constant("<tr><td class=\"name\">");
        body.leaf("a", &[("href", &address(&one.name))], &one.name);
        if one.tests > 1 {
            body.leaf("span", &[("class", "faint")], &format!(" {} tests", grouped(one.tests)));
        }
        body.constant("</td>").leaf("td", &[("class", "time")], &precise(one.seconds));
        bar(body, one.seconds.get() / most);
        body.constant("</tr>\n");
    }
    body.constant("</tbody></table></div>");
}

/// A time that can be compared with those beside it.
pub(super) fn precise(time: Seconds) -> String {
    match time.get() {
        short if short < 0.9995 => format!("{:.0} ms", short * 1000.0),
        short if short < 9.95 => format!("{short:.2} s"),
        short if short < 59.95 => format!("{short:.1} s"),
        _ => time.to_string(),
    }
}

/// A cell with a bar from 0 to 1.
fn bar(body: &mut Markup, part: f64) {
    let width = format!("{:.1}%", part.clamp(0.0, 1.0) * 100.0);
    body.constant("<td class=\"bar\"><svg aria-hidden=\"true\">");
    body.within("rect", &[("width", &width), ("height", "100%")], |_| {});
    body.constant("</svg></td>");
}

/// Apps with their counts and what setting them up took.
pub(super) fn apps(summaries: &[&Summary]) -> Option<Section> {
    let mut apps: Vec<&AppReport> = summaries.iter().flat_map(|summary| &summary.apps).collect();
    if apps.is_empty() {
        return None;
    }
    apps.sort_by(|one, other| {
        let key = |app: &AppReport| app.work + app.setup;
        key(other).get().total_cmp(&key(one).get())
    });
    let sets_up = apps.iter().any(|app| app.setup > Seconds::ZERO);
    let mut body = Markup::default();
    body.constant("<div class=\"scroll\" tabindex=\"0\"><table class=\"apps\"><thead><tr>");
    let heads = ["App", "Tests", "Red", "Flaky", "Skipped", "Time of tests"];
    let setup: &[&str] = if sets_up { &["Setup", "of it databases"] } else { &[] };
    for head in heads.iter().chain(setup).chain(&["Agents"]) {
        body.leaf("th", &[("scope", "col")], head);
    }
    body.constant("<th scope=\"col\"><span class=\"hidden\">Share</span></th></tr></thead><tbody>");
    let most = apps[0].work + apps[0].setup;
    for app in apps.iter().take(LINES) {
        app_row(&mut body, app, sets_up, most);
    }
    body.constant("</tbody></table></div>");
    if apps.len() > LINES {
        body.constant("<ul>");
        more(&mut body, apps.len() - LINES);
        body.constant("</ul>");
    }
    Some(Section { id: "apps", title: "Apps", count: Some(apps.len()), body })
}

fn app_row(body: &mut Markup, app: &AppReport, sets_up: bool, most: Seconds) {
    let counts = &app.counts;
    body.constant("<tr><td class=\"name\">");
    body.leaf("a", &[("href", &query("app", app.label.as_str()))], app.label.as_str());
    body.constant("</td>");
    body.leaf("td", &[("class", "time")], &grouped(counts.tests() as usize));
    for (number, class) in
        [(counts.red(), "time bad"), (counts.flaky, "time odd"), (counts.skipped, "time")]
    {
        let text = if number == 0 { "–".to_owned() } else { grouped(number as usize) };
        let class = if number == 0 { "time faint" } else { class };
        body.leaf("td", &[("class", class)], &text);
    }
    body.leaf("td", &[("class", "time")], &app.work.to_string());
    if sets_up {
        body.leaf("td", &[("class", "time")], &app.setup.to_string());
        let kept = if app.kept == Some(true) { " (kept)" } else { "" };
        body.leaf("td", &[("class", "time")], &format!("{}{kept}", app.databases));
    }
    let agents: Vec<&str> = app.agents.iter().take(4).map(AgentId::as_str).collect();
    let rest = app.agents.len().saturating_sub(4);
    let rest = if rest > 0 { format!(", and {rest} more") } else { String::new() };
    body.leaf("td", &[("class", "name faint")], &format!("{}{rest}", agents.join(", ")));
    let tenths = |time: Seconds| (time.get() * 10.0) as usize;
    body.constant("<td class=\"bar\">");
    let (work, setup) = (tenths(app.work), tenths(app.setup));
    let rest = tenths(most).saturating_sub(work + setup);
    share(body, &[("setup", setup), ("work", work), ("nothing", rest)], tenths(most));
    body.constant("</td></tr>\n");
}

/// Why tests did not run, what Python warned of, commands and files.
pub(super) fn around(summaries: &[&Summary]) -> Option<Section> {
    let mut body = Markup::default();
    not_run(&mut body, summaries);
    for summary in summaries {
        let around = &summary.around;
        let hooks = around.hooks.iter();
        let hooks: Vec<String> = hooks
            .map(|ran| format!("{} `{}` {}", ran.hook.name(), ran.hook.command, ran.hook.how()))
            .collect();
        list(&mut body, "Commands", &hooks);
        let warnings = around.warnings.iter().map(|(warning, count)| {
            let times = if *count > 1 {
                format!(" ({} times)", grouped(usize::try_from(*count).unwrap_or(usize::MAX)))
            } else {
                String::new()
            };
            format!(
                "{}:{} {}: {}{times}",
                warning.file, warning.line, warning.category, warning.message
            )
        });
        list(&mut body, "Warnings of Python", &warnings.collect::<Vec<_>>());
        let files = around.files.iter().filter_map(|file| file.place.clone());
        list(&mut body, "Files, in the run's directory", &files.collect::<Vec<_>>());
        list(&mut body, "Without coverage", &around.unmeasured);
    }
    (body.len() > 0).then_some(Section { id: "around", title: "Around", count: None, body })
}

fn not_run(body: &mut Markup, summaries: &[&Summary]) {
    let mut reasons = BTreeMap::<(&str, &str), usize>::new();
    for test in summaries.iter().flat_map(|summary| &summary.tests) {
        let name = outcome(test);
        if matches!(name, "skipped" | "not_run" | "lost") {
            let reason = test.decisive.reason.as_deref().unwrap_or("no reason was given");
            *reasons.entry((name, reason)).or_default() += 1;
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let lines = reasons
        .iter()
        .map(|((name, reason), count)| format!("{} {}: {reason}", grouped(*count), in_words(name)));
    list(body, "Not run, and why", &lines.collect::<Vec<_>>());
}

fn list(body: &mut Markup, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    body.constant("<details class=\"plain\"><summary>").text(title);
    body.leaf("span", &[("class", "count")], &grouped(lines.len())).constant("</summary><ul>");
    for line in lines.iter().take(LINES) {
        body.leaf("li", &[], line);
    }
    more(body, lines.len().saturating_sub(LINES));
    body.constant("</ul></details>\n");
}
