//! What it all comes to: the head of the page.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::run::Stop;
use muletrain_proto::seconds::Seconds;

use super::columns::{OUTCOMES, outcome, place};
use super::markup::{Markup, encoded};
use crate::pure::summary::Summary;
use crate::pure::text::plural;
use crate::pure::warming;
use crate::render::terminal::{conclusion, count_line};

/// Lines of a list.
const LINES: usize = 50;

/// The order in which outcomes are told: what has to be looked at first.
const ORDER: [&str; 11] = [
    "failed",
    "error",
    "crashed",
    "timed_out",
    "unexpected_success",
    "lost",
    "not_run",
    "flaky",
    "passed",
    "skipped",
    "expected_failure",
];

/// The head of the page.
pub(super) fn overview(summaries: &[&Summary]) -> Markup {
    let mut page = Markup::default();
    let exit = summaries.iter().map(|summary| summary.exit).max().unwrap_or_default();
    let class = format!("overview is-{}", word(exit));
    page.within(
        "section",
        &[("id", "summary"), ("class", &class), ("aria-label", "Summary")],
        |it| {
            it.within("div", &[("class", "headline")], |line| {
                mark_of_all(line, summaries);
                line.leaf("h1", &[], conclusion(exit));
                line.leaf("p", &[], meaning(exit));
            });
            outcomes(it, summaries);
            it.within("div", &[("class", "runs")], |runs| {
                summaries.iter().for_each(|summary| run(runs, summary));
            });
        },
    );
    page
}

/// What the page is about.
pub(super) fn name(summaries: &[&Summary]) -> String {
    match summaries {
        [summary] => match (&summary.run, summary.files) {
            (Some(run), _) => run.to_string(),
            (None, 0) => "run".to_owned(),
            (None, files) => plural(files, "result file"),
        },
        _ => plural(summaries.len(), "result"),
    }
}

/// The mark of the worst.
pub(super) fn mark_of_all(page: &mut Markup, summaries: &[&Summary]) {
    let exit = summaries.iter().map(|summary| summary.exit).max().unwrap_or_default();
    page.mark(match exit {
        ExitCode::Green => "passed",
        ExitCode::Red => "failed",
        ExitCode::Incomplete | ExitCode::Interrupted => "lost",
        ExitCode::Infrastructure | ExitCode::Usage => "crashed",
    });
}

fn word(exit: ExitCode) -> &'static str {
    match exit {
        ExitCode::Green => "green",
        ExitCode::Red => "red",
        _ => "broken",
    }
}

fn meaning(exit: ExitCode) -> &'static str {
    match exit {
        ExitCode::Green => "Exit code 0: every test has a verdict, and none is red.",
        ExitCode::Red => "Exit code 1: something is red.",
        ExitCode::Incomplete => "Exit code 3: something is missing, so nobody can call it green.",
        ExitCode::Infrastructure => "Exit code 4: what the run needs could not start.",
        ExitCode::Usage => "Exit code 2: the selection or the configuration matches nothing.",
        ExitCode::Interrupted => "Exit code 130: somebody stopped it.",
    }
}

/// A bar with the share of each outcome, and a number for each, which filters.
fn outcomes(page: &mut Markup, summaries: &[&Summary]) {
    let mut counts = [0_usize; OUTCOMES.len()];
    let tests = summaries.iter().flat_map(|summary| &summary.tests);
    tests.for_each(|test| counts[usize::from(place(outcome(test)))] += 1);
    let total: usize = counts.iter().sum();
    let found: Vec<(&str, usize)> = ORDER
        .iter()
        .map(|name| (*name, counts[usize::from(place(name))]))
        .filter(|(_, count)| *count > 0)
        .collect();
    share(page, &found, total);
    page.within("ul", &[("class", "chips")], |list| {
        for (name, count) in found {
            let address = format!("#q={}", encoded(&format!("verdict:{name}")));
            let class = format!("chip is-{name}");
            list.constant("<li>").within("a", &[("class", &class), ("href", &address)], |chip| {
                chip.mark(name).leaf("b", &[], &grouped(count)).text(" ").text(&in_words(name));
            });
            list.constant("</li>");
        }
        let problems: u32 = summaries.iter().map(|summary| summary.counts.problems).sum();
        if problems > 0 {
            let text = format!("{} outside of tests", plural(problems as usize, "error"));
            let class = "chip is-error";
            list.constant("<li>")
                .within("a", &[("class", class), ("href", "#failures")], |chip| {
                    chip.mark("error").text(&text);
                })
                .constant("</li>");
        }
    });
}

/// How outcomes share a width; what is there at all can be seen.
pub(super) fn share(page: &mut Markup, counts: &[(&str, usize)], total: usize) {
    let least = 0.6;
    let width = |count: usize| (count as f64 / total.max(1) as f64 * 100.0).max(least);
    let sum: f64 = counts.iter().map(|(_, count)| width(*count)).sum();
    let attributes = [("class", "share"), ("aria-hidden", "true"), ("preserveAspectRatio", "none")];
    page.within("svg", &attributes, |bar| {
        let mut x = 0.0;
        for (name, count) in counts {
            let wide = width(*count) / sum.max(1.0) * 100.0;
            let (from, width) = (format!("{x:.3}%"), format!("{wide:.3}%"));
            let class = format!("fill-{name}");
            let size = [("x", from.as_str()), ("width", &width), ("height", "100%")];
            let [x_of, wide_of, high] = size;
            bar.within("rect", &[("class", &class), x_of, wide_of, high], |_| {});
            x += wide;
        }
    });
}

fn run(page: &mut Markup, summary: &Summary) {
    page.within("div", &[("class", "run")], |card| {
        card.leaf("p", &[("class", "counts")], &count_line(summary));
        card.within("dl", &[], |list| facts(list, summary));
        notices(card, summary);
    });
}

fn facts(list: &mut Markup, summary: &Summary) {
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            list.constant("<div>").leaf("dt", &[], name).leaf("dd", &[], value).constant("</div>");
        }
    };
    if let Some(snapshot) = &summary.snapshot {
        let revision = snapshot.revision.as_ref();
        let revision = revision.map(|revision| {
            let commit: String = revision.commit.chars().take(10).collect();
            let dirty = if revision.dirty { ", with changes" } else { "" };
            let branch = revision.branch.as_deref().unwrap_or_default();
            format!("{branch} {commit}{dirty}").trim().to_owned()
        });
        fact("Tested", &snapshot.name);
        fact("Revision", &revision.unwrap_or_default());
        fact("Snapshot", &snapshot.id.to_string());
    }
    if let Some(moment) = moment(summary.opened) {
        fact("Began", &moment);
    }
    fact("Time of tests", &summary.work().to_string());
    if !summary.is_foreign() {
        fact("Took", &summary.wall().to_string());
        fact("At once", &at_once(summary));
        fact("At least", &bound(summary).unwrap_or_default());
    }
    fact("Databases", &warming::in_words(summary).unwrap_or_default().replace("Databases: ", ""));
    if let Some(combined) = &summary.around.combined {
        fact("Coverage", &format!("{} %", combined.percent));
    }
    if let Some(seed) = summary.options.shuffle {
        fact("Shuffled", &format!("--seed {seed} gives the same order again"));
    }
    if let Some(command) = rerun(summary) {
        list.constant("<div class=\"wide\"><dt>Again, in the checkout</dt><dd>")
            .leaf("code", &[("class", "copy")], &command)
            .constant("</dd></div>");
    }
}

/// How many pods there was room for, and how much of the time tests ran in them.
fn at_once(summary: &Summary) -> String {
    let leases = summary.leases.values();
    let places: BTreeSet<_> = leases.map(|lease| (&lease.place.agent, lease.place.slot)).collect();
    let agents: BTreeSet<_> = places.iter().map(|(agent, _)| agent).collect();
    if places.is_empty() {
        return String::new();
    }
    let busy = summary.work().get() / (summary.wall().get() * places.len() as f64).max(0.001);
    let (slots, hosts) = (plural(places.len(), "slot"), plural(agents.len(), "agent"));
    format!("{slots} on {hosts}, testing {:.0} % of the time", (busy * 100.0).min(100.0))
}

/// The lower bound by past timings, and how near the run came to it.
fn bound(summary: &Summary) -> Option<String> {
    let (bound, slots) = summary.lower_bound;
    if slots == 0 || bound <= Seconds::ZERO {
        return None;
    }
    let slots = plural(slots as usize, "slot");
    let times = summary.wall().get() / bound.get();
    Some(format!("{bound} on {slots}, by past timings; it took {times:.2} times that"))
}

fn rerun(summary: &Summary) -> Option<String> {
    let run = summary.run.as_ref().filter(|_| summary.exit != ExitCode::Green)?;
    let seed = summary.options.shuffle.map(|seed| format!(" --seed {seed}")).unwrap_or_default();
    Some(format!("muletrain-scheduler run . --rerun {run}{seed}"))
}

fn notices(page: &mut Markup, summary: &Summary) {
    let mut lines: Vec<(&str, String)> = Vec::new();
    let incomplete = summary.unfinished.iter().map(|why| ("lost", format!("Incomplete: {why}")));
    lines.extend(incomplete);
    lines.extend(summary.stop.as_ref().map(|stop| ("lost", format!("Stopped: {}", reason(stop)))));
    lines.extend(summary.notes.iter().map(|note| ("flaky", note.clone())));
    lines.extend(summary.incidents.iter().map(|incident| ("flaky", incident.clone())));
    if lines.is_empty() {
        return;
    }
    page.within("ul", &[("class", "notices")], |list| {
        for (kind, line) in lines.iter().take(LINES) {
            list.constant("<li>").mark(kind).leaf("span", &[], line).constant("</li>");
        }
        more(list, lines.len().saturating_sub(LINES));
    });
}

/// Says how many lines of a list are left out.
pub(super) fn more(list: &mut Markup, number: usize) {
    if number > 0 {
        let text = format!("and {} more", grouped(number));
        list.leaf("li", &[("class", "more")], &text);
    }
}

fn reason(stop: &Stop) -> String {
    match stop {
        Stop::Interrupted => "interrupted".to_owned(),
        Stop::FailureLimit { failures } => {
            format!("{} reached the limit", plural(*failures as usize, "red test"))
        }
        Stop::Timeout { limit } => format!("the run's time limit of {limit} was up"),
        Stop::CannotBoot => "the project cannot be loaded".to_owned(),
        Stop::SetupFailed { reason } => format!("a setup command failed: {reason}"),
        Stop::Infrastructure { reason } | Stop::NothingSelected { reason } => reason.clone(),
    }
}

/// A moment in words; none where nobody knows it.
pub(super) fn moment(milliseconds: u64) -> Option<String> {
    let milliseconds = i64::try_from(milliseconds).ok().filter(|moment| *moment > 0)?;
    let moment = Timestamp::from_millisecond(milliseconds).ok()?.to_zoned(TimeZone::UTC);
    Some(moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// An outcome as people read it.
pub(super) fn in_words(outcome: &str) -> String {
    outcome.replace('_', " ")
}

/// A number with its thousands apart.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn every_outcome_is_told() {
        let mut all = ORDER;
        let mut known = OUTCOMES;
        all.sort_unstable();
        known.sort_unstable();
        assert_eq!(all, known);
    }
}
