//! Failures by what caused them: those that look alike are most likely one.

use std::collections::HashMap;

use muletrain_proto::outcome::Failure;

use crate::pure::summary::{Summary, TestReport};
use crate::pure::text::for_line;

/// Digits from which on a number is taken for one that differs each time, such as a port or an id.
const CHANGING: usize = 4;

/// Failures that look alike.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cause {
    /// The exception and its message, of the first of them.
    pub(super) title: String,
    /// Where it was raised, unless in the tests themselves.
    pub(super) place: Option<String>,
    /// The tests: the place of the summary, and the place in it.
    pub(super) tests: Vec<(usize, usize)>,
}

/// What makes two failures look alike.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Fingerprint {
    exception: String,
    detail: Detail,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Detail {
    /// Raised in code that tests share: the same place is the same cause, whatever the message.
    Place(String),
    /// Raised by the test itself, or nobody knows where: the message decides.
    Message(String),
}

/// The causes of everything that is red, those of the most tests first.
pub(super) fn causes(summaries: &[&Summary]) -> Vec<Cause> {
    let mut by_print = HashMap::<Fingerprint, usize>::new();
    let mut causes = Vec::<Cause>::new();
    for (run, summary) in summaries.iter().enumerate() {
        let red = |(_, test): &(usize, &TestReport)| test.outcome.verdict.is_red();
        for (index, test) in summary.tests.iter().enumerate().filter(red) {
            let (print, title) = fingerprint(test);
            let place = match &print.detail {
                Detail::Place(place) => Some(place.clone()),
                Detail::Message(_) => None,
            };
            let number = *by_print.entry(print).or_insert_with(|| {
                causes.push(Cause { title, place, tests: Vec::new() });
                causes.len() - 1
            });
            causes[number].tests.push((run, index));
        }
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.tests.len()));
    causes
}

fn fingerprint(test: &TestReport) -> (Fingerprint, String) {
    let Some(failure) = test.decisive.failures.first() else {
        let word = test.outcome.verdict.to_string();
        let detail = Detail::Message(test.decisive.reason.clone().unwrap_or_default());
        return (Fingerprint { exception: word.clone(), detail }, word);
    };
    let detail = match frame(&failure.traceback).filter(|frame| !frame.is_of(test)) {
        Some(frame) => Detail::Place(frame.to_string()),
        None => Detail::Message(without_what_changes(&failure.message)),
    };
    (Fingerprint { exception: failure.exception.clone(), detail }, headline(failure))
}

/// A failure on one line.
pub(super) fn headline(failure: &Failure) -> String {
    let name = failure.exception.strip_prefix("muletrain.").unwrap_or(&failure.exception);
    let message = failure.message.strip_prefix(name).unwrap_or(&failure.message);
    let message = message.strip_prefix(':').unwrap_or(message);
    match (name.is_empty(), message.trim().is_empty()) {
        (true, _) => for_line(message),
        (false, true) => for_line(name),
        (false, false) => for_line(&format!("{name}: {message}")),
    }
}

/// A line of a traceback.
#[derive(Debug, PartialEq, Eq)]
struct Frame<'a> {
    file: &'a str,
    function: &'a str,
}

impl Frame<'_> {
    /// Whether it is the test's own method.
    fn is_of(&self, test: &TestReport) -> bool {
        let id = test.id.as_str();
        let id = id.split_once('[').map_or(id, |(id, _)| id);
        id.rsplit(['.', ':']).next() == Some(self.function)
    }
}

impl std::fmt::Display for Frame<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} in {}", self.file, self.function)
    }
}

/// The innermost frame of Python's last traceback in a text.
fn frame(traceback: &str) -> Option<Frame<'_>> {
    traceback.lines().rev().find_map(|line| {
        let (file, rest) = line.trim_start().strip_prefix("File \"")?.split_once("\", line ")?;
        let (_, function) = rest.split_once(", in ")?;
        Some(Frame { file, function: function.trim() })
    })
}

/// A message without addresses, long numbers and identifiers that are drawn at random.
fn without_what_changes(message: &str) -> String {
    let is_part = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == '_';
    let mut kept = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|one| !is_part(one)).unwrap_or(rest.len());
        match end {
            0 => kept.push(first),
            _ if changes(&rest[..end]) => kept.push('#'),
            _ => kept.push_str(&rest[..end]),
        }
        rest = &rest[if end == 0 { first.len_utf8() } else { end }..];
    }
    kept
}

fn changes(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_hexadecimal = word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    word.starts_with("0x")
        || (digits == word.len() && digits >= CHANGING)
        || (is_hexadecimal && digits > 0 && word.len() >= 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_each_time_is_left_out() {
        for (message, kept) in [
            ("404 != 200", "404 != 200"),
            ("<Cart object at 0x7f3a9c2b1d90> is not None", "<Cart object at #> is not None"),
            ("port 54321 refused", "port # refused"),
            ("order 0b7e3c52-8d3f-4f6e-9c7a-d1e2f3a4b5c6 is gone", "order # is gone"),
            ("deadbeef is a word of letters", "deadbeef is a word of letters"),
            ("größe 日本 <&>", "größe 日本 <&>"),
        ] {
            assert_eq!(without_what_changes(message), kept);
        }
    }

    #[test]
    fn the_innermost_frame_is_the_last_of_the_last_traceback() {
        let text = "Traceback:\n  File \"/a/tests.py\", line 3, in test_x\n    f()\n  \
                    File \"/a/db.py\", line 9, in connect\n    raise\nOSError: no\n";
        assert_eq!(frame(text), Some(Frame { file: "/a/db.py", function: "connect" }));
        assert_eq!(frame("at x (/srv/cart.js:7:3)"), None);
    }
}
