//! The summary of a run in Markdown, for the page of a CI job: what failed and why first, within the
//! limits of such pages, and in a form in which foreign text is nothing but text.

use muletrain_proto::outcome::Failure;
use muletrain_proto::verdict::Verdict;

use crate::pure::junit::clip::clip;
use crate::pure::summary::{Problem, Summary, TestReport};
use crate::pure::text::{fit, for_line, for_terminal, plural};
use crate::render::terminal::{conclusion, count_line};

/// GitHub drops all of a step's summary where it is over 1 MiB; some of that is left to others.
const LIMIT: usize = (1 << 20) - (32 << 10);

/// Bytes of a traceback that are shown.
const TRACE: usize = 8 << 10;

/// Bytes of a line that says how many more there are.
const LAST: usize = 64;

/// Lines of a list.
const LINES: usize = 20;

/// Columns of a line.
const WIDTH: usize = 300;

/// The summary of one or more reports.
#[must_use]
pub fn markdown(summaries: &[&Summary]) -> String {
    let mut text = String::new();
    for (index, summary) in summaries.iter().enumerate() {
        let left = summaries.len() - index;
        let room = (LIMIT - LAST).saturating_sub(text.len());
        // What one needs less is there for those that follow.
        let next = one(summary, room / left);
        if next.len() + 1 > room {
            text += &format!("\nand {}\n", plural(left, "more result"));
            break;
        }
        if index > 0 {
            text.push('\n');
        }
        text += &next;
    }
    text
}

/// One result. Where there is hardly any room, it is a little more than its counts.
fn one(summary: &Summary, limit: usize) -> String {
    let mut text =
        format!("## muletrain: {}\n\n{}\n\n", conclusion(summary.exit), count_line(summary));
    let why = summary.unfinished.iter().map(|why| format!("**Incomplete:** {}\n\n", code(why)));
    let shown = fill(&mut text, limit / 4, why);
    more(&mut text, summary.unfinished.len() - shown);
    // What comes last is short, so it is known how much room is left for what comes first.
    let end = lists(summary, limit / 2);
    let room = limit.saturating_sub(text.len() + end.len());
    text + &red(summary, room) + &end
}

/// Adds as many lines of a list as there is room for; gives back how many.
fn fill(text: &mut String, room: usize, lines: impl Iterator<Item = String>) -> usize {
    let mut shown = 0;
    for line in lines.take(LINES) {
        if text.len() + line.len() + LAST > room {
            break;
        }
        *text += &line;
        shown += 1;
    }
    shown
}

fn red(summary: &Summary, room: usize) -> String {
    let tests = summary.tests.iter().filter(|test| test.outcome.verdict.is_red());
    let tests = tests.map(|test| of_test(summary, test));
    let problems = summary.problems.iter().map(of_problem);
    let blocks: Vec<String> = problems.chain(tests).collect();
    if blocks.is_empty() {
        return String::new();
    }
    let mut text = format!("### Failed ({})\n\n", blocks.len());
    let mut shown = 0;
    // The last line has to fit as well.
    while let Some(block) =
        blocks.get(shown).filter(|block| text.len() + block.len() + LAST <= room)
    {
        text += block;
        shown += 1;
    }
    more(&mut text, blocks.len() - shown);
    text
}

fn of_test(summary: &Summary, test: &TestReport) -> String {
    let agent = summary.agent(test.decisive.lease).map(ToString::to_string);
    let place = agent.map(|agent| format!(" on {agent}")).unwrap_or_default();
    let verdict = test.outcome.verdict.to_string();
    block(&verdict, test.id.as_str(), &place, &test.decisive.failures, &test.decisive.output.text)
}

fn of_problem(problem: &Problem) -> String {
    block(&problem.verdict.to_string(), &problem.id, "", &problem.failures, &problem.output.text)
}

fn block(verdict: &str, id: &str, place: &str, failures: &[Failure], output: &str) -> String {
    let why = failures.first().map(|one| format!("{}: {}", one.exception, one.message));
    let why = fit(&for_line(&why.unwrap_or_default()), WIDTH);
    let head =
        format!("{verdict} <code>{}</code>{}", html(&fit(&for_line(id), WIDTH)), html(place));
    let why = if why.is_empty() { why } else { format!("<br><code>{}</code>", html(&why)) };
    let mut text = format!("<details><summary>{head}{why}</summary>\n\n");
    for failure in failures {
        text += &fence(&failure.traceback);
    }
    if !output.trim().is_empty() {
        text += "printed:\n\n";
        text += &fence(output);
    }
    text + "</details>\n\n"
}

fn lists(summary: &Summary, room: usize) -> String {
    let mut text = String::new();
    let flaky: Vec<&TestReport> = summary.tests.iter().filter(|test| test.outcome.flaky).collect();
    list(&mut text, room, "Flaky", &flaky, |test| code(test.id.as_str()));
    let lost = |test: &&TestReport| test.outcome.verdict == Verdict::NotRun && test.decisive.lost;
    let lost: Vec<&TestReport> = summary.tests.iter().filter(lost).collect();
    list(&mut text, room, "Lost", &lost, |test| code(test.id.as_str()));
    let mut slowest: Vec<&TestReport> = summary.tests.iter().collect();
    let time = |test: &TestReport| test.decisive.seconds.unwrap_or_default().get();
    slowest.sort_by(|one, other| time(other).total_cmp(&time(one)));
    slowest.retain(|test| time(test) >= 1.0);
    slowest.truncate(5);
    list(&mut text, room, "Slowest", &slowest, |test| {
        format!("{} {}", test.decisive.seconds.unwrap_or_default(), code(test.id.as_str()))
    });
    list(&mut text, room, "Trouble along the way", &summary.incidents, |incident| code(incident));
    text
}

fn list<T>(text: &mut String, room: usize, title: &str, items: &[T], line: impl Fn(&T) -> String) {
    if items.is_empty() || text.len() + 2 * LAST > room {
        return;
    }
    *text += &format!("### {title} ({})\n\n", items.len());
    let shown = fill(text, room, items.iter().map(|item| format!("- {}\n", line(item))));
    text.push('\n');
    more(text, items.len() - shown);
}

fn more(text: &mut String, number: usize) {
    if number > 0 {
        *text += &format!("and {number} more\n\n");
    }
}

/// Text on one line in which nothing is markup, no name is called and no issue is linked.
fn code(text: &str) -> String {
    let text = fit(&for_line(text), WIDTH);
    if text.is_empty() {
        return String::new();
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    format!("{ticks} {text} {ticks}")
}

/// Text of several lines in which nothing is markup: its fence is longer than any in it.
fn fence(text: &str) -> String {
    let text = clip(&for_terminal(text), TRACE);
    if text.trim().is_empty() {
        return String::new();
    }
    let ticks = "`".repeat(longest_run(&text).max(2) + 1);
    format!("{ticks}text\n{}\n{ticks}\n\n", text.trim_end())
}

fn longest_run(text: &str) -> usize {
    text.split(|one| one != '`').map(str::len).max().unwrap_or_default()
}

/// Text within HTML. Line ends are gone already; what Markdown would take for more than text is
/// spelled out.
fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' | '@' | '#' | '`' | '*' | '_' | '[' | ']' | '\\' | '~'
            | '|' | '!' | ':' => {
                safe += &format!("&#{};", u32::from(character));
            }
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_gets_out_of_its_fence() {
        let hostile = "```\n# title\n````\n@everyone";
        let fenced = fence(hostile);
        assert!(fenced.starts_with("`````text\n") && fenced.ends_with("\n`````\n\n"), "{fenced}");
        assert_eq!(code("a ``` b"), "```` a ``` b ````");
        assert_eq!(
            html("<b>@me</b> ![x](y) #1"),
            "&#60;b&#62;&#64;me&#60;/b&#62; &#33;&#91;x&#93;(y) &#35;1"
        );
    }
}
