//! The final report for people: what went wrong and why first, the total last.

mod around;
mod block;
mod labels;
mod table;

use std::collections::BTreeMap;

use muletrain_proto::config::Flaky;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::run::{Iteration, Stop};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use crate::pure::style::Look;
use crate::pure::summary::{Summary, TestReport};
use crate::pure::text::{fit, for_line, plural};
use crate::pure::warming;

/// Blocks shown in full; the rest of a section is a line each.
const IN_FULL: usize = 50;

/// Lines of a report that are seen without scrolling.
const SCREEN: usize = 40;

/// Lines of what went wrong that are shown once more.
const IN_SHORT: usize = 15;

/// The report on one run. `stored` is the directory that holds its journal.
#[must_use]
pub fn report(summary: &Summary, look: Look, stored: Option<&str>) -> String {
    let mut page = Page { look, text: String::new() };
    red_tests(&mut page, summary);
    problems(&mut page, summary);
    flaky(&mut page, summary);
    not_run(&mut page, summary);
    around::printed(&mut page, summary);
    around::warnings(&mut page, summary);
    around::files(&mut page, summary);
    around::hooks(&mut page, summary);
    notes(&mut page, summary);
    incidents(&mut page, summary);
    table::slowest(&mut page, summary);
    table::apps(&mut page, summary);
    recap(&mut page, summary);
    totals(&mut page, summary, stored);
    page.text
}

/// A report in the making.
struct Page {
    look: Look,
    text: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// The head of a section, with its rule across the terminal.
    fn section(&mut self, title: &str) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.line("");
        }
        let used = title.chars().count() + 4;
        let rule = "─".repeat(self.look.width.saturating_sub(used));
        self.line(&format!(
            "{} {} {}",
            self.look.faint("──"),
            self.look.strong(title),
            self.look.faint(&rule)
        ));
    }
}

/// A red test or a problem, as [`block`] shows it.
fn blocks(page: &mut Page, title: &str, blocks: &[block::Block<'_>]) {
    if blocks.is_empty() {
        return;
    }
    page.section(&format!("{title} ({})", blocks.len()));
    for block in blocks.iter().take(IN_FULL) {
        block.write(page);
    }
    for block in blocks.iter().skip(IN_FULL) {
        block.write_line(page);
    }
}

fn red_tests(page: &mut Page, summary: &Summary) {
    let sections: [(&str, &[Verdict]); 3] = [
        ("Failed", &[Verdict::Failed, Verdict::Error, Verdict::UnexpectedSuccess]),
        ("Crashed", &[Verdict::Crashed]),
        ("Timed out", &[Verdict::TimedOut]),
    ];
    for (title, verdicts) in sections {
        let tests = summary.tests.iter().filter(|test| verdicts.contains(&test.outcome.verdict));
        let found: Vec<_> = tests.map(|test| block::Block::of_test(summary, test)).collect();
        blocks(page, title, &found);
    }
}

/// What went wrong once more, a line each, where it has been scrolled away by now.
fn recap(page: &mut Page, summary: &Summary) {
    if page.text.lines().count() < SCREEN {
        return;
    }
    let red = summary.tests.iter().filter(|test| test.outcome.verdict.is_red());
    let red = red.map(|test| block::Block::of_test(summary, test));
    let problems = summary.problems.iter();
    let problems = problems.map(|problem| block::Block::of_problem(summary, problem));
    let found: Vec<block::Block<'_>> = red.chain(problems).collect();
    if found.is_empty() {
        return;
    }
    page.section(&format!("What went wrong ({})", found.len()));
    found.iter().take(IN_SHORT).for_each(|block| block.write_line(page));
    if found.len() > IN_SHORT {
        page.line(&format!("and {} more", found.len() - IN_SHORT));
    }
}

fn problems(page: &mut Page, summary: &Summary) {
    let found = summary.problems.iter().map(|problem| block::Block::of_problem(summary, problem));
    blocks(page, "Errors outside of tests", &found.collect::<Vec<_>>());
}

fn flaky(page: &mut Page, summary: &Summary) {
    let tests: Vec<&TestReport> = summary.tests.iter().filter(|test| test.outcome.flaky).collect();
    if tests.is_empty() {
        return;
    }
    let consequence = match summary.options.flaky {
        Flaky::Pass => "",
        Flaky::Fail => ", which makes the run red",
    };
    page.section(&format!("Flaky ({}){consequence}", tests.len()));
    for test in tests {
        page.line(&format!("{} {}", page.look.odd("FLAKY"), for_line(test.id.as_str())));
        let red = test.others.iter().filter(|other| other.verdict.is_red());
        for other in red {
            let why = other.failures.first().map(block::headline).unwrap_or_default();
            let text = format!("  try {} {}: {why}", other.number, other.verdict);
            page.line(&fit(&text, page.look.width));
        }
    }
}

/// Tests without a verdict, by reason; those that were lost first, and by name.
fn not_run(page: &mut Page, summary: &Summary) {
    let mut reasons = BTreeMap::<(bool, String), Vec<&TestReport>>::new();
    for test in summary.tests.iter().filter(|test| test.outcome.verdict == Verdict::NotRun) {
        let reason = for_line(test.decisive.reason.as_deref().unwrap_or("no reason was given"));
        reasons.entry((!test.decisive.lost, reason)).or_default().push(test);
    }
    if reasons.is_empty() {
        return;
    }
    let total: usize = reasons.values().map(Vec::len).sum();
    page.section(&format!("Not run ({total})"));
    for ((explained, reason), tests) in reasons {
        let count = plural(tests.len(), "test");
        let count = if explained { count } else { page.look.bad(&format!("{count} lost")) };
        page.line(&format!("{count}: {reason}"));
        let named = if explained { 0 } else { tests.len().min(IN_FULL) };
        for test in &tests[..named] {
            page.line(&format!("  {}", for_line(test.id.as_str())));
        }
        if !explained && tests.len() > named {
            page.line(&format!("  and {} more", tests.len() - named));
        }
    }
}

/// What was asked for and is not there.
fn notes(page: &mut Page, summary: &Summary) {
    // Where nothing at all is left, they are why the run stopped.
    let is_told = matches!(summary.stop, Some(Stop::NothingSelected { .. }));
    if summary.notes.is_empty() || is_told {
        return;
    }
    page.section(&format!("Not found ({})", summary.notes.len()));
    for note in summary.notes.iter().take(IN_FULL) {
        page.line(&format!("{} {}", page.look.odd("!"), for_line(note)));
    }
    if let Some(more) = summary.notes.len().checked_sub(IN_FULL).filter(|more| *more > 0) {
        page.line(&format!("  and {more} more"));
    }
}

fn incidents(page: &mut Page, summary: &Summary) {
    if summary.incidents.is_empty() {
        return;
    }
    page.section(&format!("Trouble along the way ({})", summary.incidents.len()));
    for incident in &summary.incidents {
        page.line(&format!("{} {}", page.look.odd("!"), for_line(incident)));
    }
}

fn totals(page: &mut Page, summary: &Summary, stored: Option<&str>) {
    page.section(&match (&summary.run, summary.files) {
        (Some(run), _) => format!("Run {run}"),
        (None, 0) => "Run (unknown)".to_owned(),
        (None, files) => plural(files, "result file"),
    });
    page.line(&count_line(summary));
    if let Some(databases) = warming::in_words(summary) {
        page.line(&page.look.faint(&databases));
    }
    around::coverage(page, summary);
    if let Some(text) = bound(summary) {
        page.line(&page.look.faint(&text));
    }
    if let Some(Iteration { number, limit }) = summary.options.iteration {
        page.line(&format!("Repetition {number} of at most {limit}"));
    }
    if let Some(seed) = summary.options.shuffle {
        page.line(&format!("Shuffled; `--seed {seed}` gives the same order again"));
    }
    if let Some(stop) = &summary.stop {
        page.line(&format!("Stopped: {}", for_line(&stop_reason(stop))));
    }
    for reason in &summary.unfinished {
        page.line(&format!("{} {}", page.look.bad("Incomplete:"), for_line(reason)));
    }
    if let Some(command) = labels::rerun(summary) {
        page.line(&format!("Again, in the checkout: {command}"));
    }
    if let Some(stored) = stored {
        page.line(&format!("Stored in {}", for_line(stored)));
    }
    let verdict = match summary.exit {
        ExitCode::Green => page.look.good(conclusion(summary.exit)),
        exit => page.look.bad(conclusion(exit)),
    };
    page.line(&page.look.strong(&verdict));
}

/// How near a run came to what is possible, where past runs tell that.
fn bound(summary: &Summary) -> Option<String> {
    let (bound, slots) = summary.lower_bound;
    // A run that needed no agent was never planned for any slots.
    if slots == 0 || bound <= Seconds::ZERO {
        return None;
    }
    let told = format!("By past timings, {} take at least {bound}", plural(slots as usize, "slot"));
    // One that was broken off came nowhere near.
    let ratio = summary.wall().get() / bound.get();
    Some(match summary.stop.is_none() && summary.unfinished.is_empty() && ratio.is_finite() {
        true => format!("{told}; this run took {ratio:.2} times that"),
        false => told,
    })
}

/// What it all comes to, in a word or two.
pub(crate) fn conclusion(exit: ExitCode) -> &'static str {
    match exit {
        ExitCode::Green => "GREEN",
        ExitCode::Red => "RED",
        ExitCode::Incomplete => "INCOMPLETE",
        ExitCode::Infrastructure => "COULD NOT RUN",
        ExitCode::Usage => "NOTHING TO RUN",
        ExitCode::Interrupted => "INTERRUPTED",
    }
}

/// Such as `12 tests in 0:42: 10 passed, 1 failed, 1 skipped; 3 deselected`.
pub(crate) fn count_line(summary: &Summary) -> String {
    let counts = &summary.counts;
    let parts = [
        (counts.passed, "passed"),
        (counts.failed, "failed"),
        (counts.errors, "with errors"),
        (counts.unexpected_successes, "passed unexpectedly"),
        (counts.crashed, "crashed"),
        (counts.timed_out, "timed out"),
        (counts.lost, "lost"),
        (counts.not_run, "not run"),
        (counts.flaky, "flaky"),
        (counts.skipped, "skipped"),
        (counts.expected_failures, "failed as expected"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts.map(|(number, name)| format!("{number} {name}")).collect();
    let tests = plural(counts.tests() as usize, "test");
    let mut line = match summary.is_foreign() {
        true => format!("{tests}, {} of test time", summary.work()),
        false => format!("{tests} in {}", summary.wall()),
    };
    if !parts.is_empty() {
        line += &format!(": {}", parts.join(", "));
    }
    if counts.problems > 0 {
        line += &format!("; {} outside of tests", plural(counts.problems as usize, "error"));
    }
    if summary.deselected > 0 {
        line += &format!("; {} deselected", summary.deselected);
    }
    line
}

fn stop_reason(stop: &Stop) -> String {
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
