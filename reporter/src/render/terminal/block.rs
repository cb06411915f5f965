//! One thing that went wrong, in full: what, where, why, and what it printed.

use muletrain_proto::config::ShowOutput;
use muletrain_proto::id::{AppLabel, LeaseId};
use muletrain_proto::outcome::{Failure, Output};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::Page;
use crate::pure::summary::{Problem, Summary, TestReport};
use crate::pure::text::{fit, for_line, for_terminal, plural};

/// Lines shown of a traceback: of its start and of its end.
const TRACEBACK_LINES: (usize, usize) = (10, 60);

/// Lines shown of the end of what was printed.
const OUTPUT_LINES: (usize, usize) = (0, 20);

/// One thing that went wrong.
pub(super) struct Block<'a> {
    id: String,
    verdict: Verdict,
    place: String,
    failures: &'a [Failure],
    output: &'a Output,
}

impl<'a> Block<'a> {
    pub(super) fn of_test(summary: &Summary, test: &'a TestReport) -> Self {
        let decisive = &test.decisive;
        let app = Some(summary.class(test).app.as_str());
        Self {
            id: for_line(test.id.as_str()),
            verdict: test.outcome.verdict,
            place: place(summary, app, decisive.lease, decisive.seconds),
            failures: &decisive.failures,
            output: &decisive.output,
        }
    }

    pub(super) fn of_problem(summary: &Summary, problem: &'a Problem) -> Self {
        let app = problem.app.as_ref().map(AppLabel::as_str);
        Self {
            id: for_line(&problem.id),
            verdict: problem.verdict,
            place: place(summary, app, problem.lease, None),
            failures: &problem.failures,
            output: &problem.output,
        }
    }

    /// On one line: for the rest of a section that is too long.
    pub(super) fn write_line(&self, page: &mut Page) {
        let why = self.failures.first().map(headline).unwrap_or_default();
        page.line(&fit(&format!("{} {}  {why}", self.word(), self.id), page.look.width));
    }

    pub(super) fn write(&self, page: &mut Page) {
        let word = page.look.bad(&self.word());
        page.line(&format!("{word} {}", page.look.strong(&self.id)));
        if !self.place.is_empty() {
            page.line(&page.look.faint(&format!("  {}", self.place)));
        }
        for failure in self.failures {
            write_failure(page, failure);
        }
        write_output(page, self.output);
        page.line("");
    }

    fn word(&self) -> String {
        self.verdict.to_string().to_uppercase()
    }
}

/// A failure on one line.
pub(super) fn headline(failure: &Failure) -> String {
    let name = failure.exception.strip_prefix("muletrain.").unwrap_or(&failure.exception);
    for_line(&format!("{name}: {}", failure.message))
}

fn place(
    summary: &Summary,
    app: Option<&str>,
    lease: Option<LeaseId>,
    seconds: Option<Seconds>,
) -> String {
    let agent = summary.agent(lease).map(|agent| format!("agent {agent}"));
    let parts = [app.map(|app| format!("app {app}")), agent, seconds.map(|time| time.to_string())];
    for_line(&parts.into_iter().flatten().collect::<Vec<_>>().join(" · "))
}

fn write_failure(page: &mut Page, failure: &Failure) {
    if let Some(subtest) = &failure.subtest {
        page.line(&format!("  in subtest {}", for_line(subtest)));
    }
    let traceback = for_terminal(&failure.traceback);
    // A traceback ends with its exception and message; other texts, such as stacks, do not.
    let tells_why = traceback.trim_end().lines().any(|line| line.starts_with(&failure.exception))
        || traceback.contains(&last_part(&failure.exception));
    if !tells_why || failure.exception.starts_with("muletrain.") {
        let why = headline(failure);
        page.line(&format!("  {}", page.look.bad(&why)));
    }
    for line in middle(&traceback, TRACEBACK_LINES) {
        page.line(&format!("    {line}"));
    }
}

fn last_part(dotted: &str) -> String {
    dotted.rsplit('.').next().unwrap_or(dotted).to_owned()
}

pub(super) fn write_output(page: &mut Page, output: &Output) {
    if output.text.trim().is_empty() || page.look.output == ShowOutput::None {
        return;
    }
    let omitted = match output.omitted {
        0 => String::new(),
        omitted => format!(" ({omitted} bytes omitted from its middle)"),
    };
    page.line(&page.look.faint(&format!("  printed{omitted}:")));
    for line in middle(&for_terminal(&output.text), OUTPUT_LINES) {
        page.line(&format!("  {} {line}", page.look.faint("│")));
    }
}

/// Lines of a text, with a note for those left out of its middle.
fn middle(text: &str, (head, tail): (usize, usize)) -> Vec<String> {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    if lines.len() <= head + tail + 1 {
        return lines.into_iter().map(str::to_owned).collect();
    }
    let left_out = lines.len() - head - tail;
    let mut kept: Vec<String> = lines[..head].iter().map(|line| (*line).to_owned()).collect();
    kept.push(format!("… {} left out …", plural(left_out, "line")));
    kept.extend(lines[lines.len() - tail..].iter().map(|line| (*line).to_owned()));
    kept
}
