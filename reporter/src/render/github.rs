//! GitHub's workflow commands: annotations for what is red or flaky, and a fence around foreign
//! text, so that nothing a test prints is taken for a command.

use crate::pure::place::line_of;
use crate::pure::summary::{Problem, Summary, TestReport};
use crate::pure::text::{fit, for_line, for_terminal, plural};

/// Annotations of one kind that GitHub shows of a step; the rest is dropped without a word.
const MOST: usize = 10;

/// Characters of a message that are of use.
const MESSAGE: usize = 2000;

/// A report that is printed where GitHub listens for commands. `token` must be one that no test
/// can have printed.
#[must_use]
pub fn fenced(text: &str, token: &str) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("::stop-commands::{token}\n{text}{end}::{token}::\n")
}

/// What is red as errors, what is flaky as warnings, and how many more there are.
#[must_use]
pub fn annotations(summaries: &[&Summary]) -> String {
    let errors: Vec<String> = summaries.iter().flat_map(|summary| errors(summary)).collect();
    let warnings: Vec<String> = summaries.iter().flat_map(|summary| warnings(summary)).collect();
    let mut text = String::new();
    for (all, thing) in [(&errors, "error"), (&warnings, "flaky test")] {
        all.iter().take(MOST).for_each(|line| text += line);
        if all.len() > MOST {
            let more = plural(all.len() - MOST, &format!("more {thing}"));
            text += &command("notice", &[("title", "muletrain")], &format!("and {more}"));
        }
    }
    text
}

fn errors(summary: &Summary) -> Vec<String> {
    let unfinished = summary
        .unfinished
        .iter()
        .map(|why| command("error", &[("title", "incomplete")], &for_line(why)));
    let red = summary.tests.iter().filter(|test| test.outcome.verdict.is_red());
    let red = red.map(|test| of_test(summary, test, "error"));
    unfinished.chain(red).chain(summary.problems.iter().map(of_problem)).collect()
}

fn warnings(summary: &Summary) -> Vec<String> {
    let flaky = summary.tests.iter().filter(|test| test.outcome.flaky);
    flaky.map(|test| of_test(summary, test, "warning")).collect()
}

fn of_test(summary: &Summary, test: &TestReport, kind: &str) -> String {
    let class = summary.class(test);
    let one = match kind {
        "error" => &test.decisive,
        _ => test.others.iter().find(|other| other.verdict.is_red()).unwrap_or(&test.decisive),
    };
    let failure = one.failures.first();
    let title = format!("{}: {}", test.outcome.as_str().replace('_', " "), test.id);
    let title = for_line(&title);
    let mut properties = Vec::new();
    let line = class.file.as_deref().and_then(|file| line_of(failure?, file));
    let line = line.or(test.line).or(class.line).map(|line| line.to_string());
    if let Some(file) = &class.file {
        properties.push(("file", file.as_str()));
        properties.extend(line.as_deref().map(|line| ("line", line)));
    }
    properties.push(("title", title.as_str()));
    let message =
        failure.map(|one| format!("{}: {}\n\n{}", one.exception, one.message, one.traceback));
    command(kind, &properties, &message.unwrap_or_else(|| title.clone()))
}

fn of_problem(problem: &Problem) -> String {
    let title = for_line(&problem.id);
    let failure = problem.failures.first();
    let message =
        failure.map(|one| format!("{}: {}\n\n{}", one.exception, one.message, one.traceback));
    command("error", &[("title", &title)], &message.unwrap_or_else(|| title.clone()))
}

fn command(kind: &str, properties: &[(&str, &str)], message: &str) -> String {
    let property = |(name, value): &(&str, &str)| format!("{name}={}", encoded(value, true));
    let properties: Vec<String> = properties.iter().map(property).collect();
    let message = for_terminal(message);
    let message: String = message.trim().chars().take(MESSAGE).collect();
    format!("::{kind} {}::{}\n", properties.join(","), encoded(&message, false))
}

fn encoded(text: &str, property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    match property {
        true => fit(&text.replace(':', "%3A").replace(',', "%2C"), MESSAGE),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_command_ends_it() {
        let line = command("error", &[("title", "a,b::c%0A")], "100%\n::error::x\r\n\u{1b}[31m");
        assert_eq!(line, "::error title=a%2Cb%3A%3Ac%250A::100%25%0A::error::x\n");
    }

    #[test]
    fn foreign_text_stands_between_marks() {
        assert_eq!(
            fenced("::error::x\n##[error]y", "t0k"),
            "::stop-commands::t0k\n::error::x\n##[error]y\n::t0k::\n"
        );
    }
}
