//! GitLab's code quality format, which it shows beside the lines of a merge request.

use muletrain_proto::outcome::Failure;
use serde::Serialize;

use crate::pure::place::line_of;
use crate::pure::summary::{Summary, TestReport};
use crate::pure::text::for_line;

/// What is red, with the lines it failed in. What belongs to no file has no place in it.
#[must_use]
pub fn code_quality(summaries: &[&Summary]) -> String {
    let issues: Vec<Issue> = summaries.iter().flat_map(|summary| issues(summary)).collect();
    let mut text = serde_json::to_string_pretty(&issues).expect("issues are plain data");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    /// The same for the same failure in another run, so that GitLab can tell what is new.
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

fn issues(summary: &Summary) -> Vec<Issue> {
    let wanted = |test: &&TestReport| test.outcome.verdict.is_red() || test.outcome.flaky;
    summary.tests.iter().filter(wanted).filter_map(|test| issue(summary, test)).collect()
}

fn issue(summary: &Summary, test: &TestReport) -> Option<Issue> {
    let class = summary.class(test);
    let file = class.file.clone()?;
    let red = test.others.iter().find(|other| other.verdict.is_red());
    let one = if test.outcome.flaky { red? } else { &test.decisive };
    let failure = one.failures.first();
    let line = failure.and_then(|failure| line_of(failure, &file));
    let why = failure.map_or_else(|| one.verdict.to_string(), headline);
    Some(Issue {
        description: for_line(&format!("{}: {why}", test.id)),
        check_name: test.outcome.as_str(),
        fingerprint: fingerprint(&[test.id.as_str(), test.outcome.as_str()]),
        severity: if test.outcome.flaky { "minor" } else { "major" },
        location: Location {
            path: file,
            lines: Lines { begin: line.or(test.line).or(class.line).unwrap_or(1) },
        },
    })
}

fn headline(failure: &Failure) -> String {
    format!("{}: {}", failure.exception, failure.message)
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): the same on every host and in every version.
fn fingerprint(parts: &[&str]) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = parts.join("\0").bytes().fold(0xcbf2_9ce4_8422_2325, step);
    format!("{hash:016x}")
}
