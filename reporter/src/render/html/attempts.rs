//! Every try of every test of which there is more to tell than its outcome and time.

use std::ops::Range;

use muletrain_proto::outcome::{Failure, Output};
use muletrain_proto::verdict::Verdict;
use serde::Serialize;
use serde_json::{Value, json};

use super::ansi::marked;
use super::columns::{UNKNOWN, place, since};
use super::tables::Tables;
use crate::pure::junit::clip::clip;
use crate::pure::summary::{Summary, TestReport, Try};
use crate::pure::text::for_terminal;

/// Bytes of a text that are shown, and where there is much of it.
const TEXT: (usize, usize) = (64 << 10, 4 << 10);

/// Bytes of all texts from which on each is shown in brief.
const MUCH: usize = 256 << 20;

/// Bytes that passing tests may have printed, together, to be shown at all.
const QUIET: usize = 16 << 20;

/// The tries of all tests with more to tell.
pub(super) struct Attempts<'a> {
    summaries: &'a [&'a Summary],
    tables: &'a Tables,
    /// The place of the summary, and the place in it.
    detailed: Vec<(usize, usize)>,
    /// Bytes shown of a text.
    text: usize,
    /// Whether it is shown what passing tests printed.
    quiet: bool,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(summaries: &'a [&'a Summary], tables: &'a Tables) -> Self {
        let all = || summaries.iter().flat_map(|summary| &summary.tests);
        let printed: usize =
            all().filter(|test| is_quiet(test)).map(|test| test.decisive.output.text.len()).sum();
        let quiet = printed <= QUIET;
        let texts: usize = all().map(size).sum();
        let text = if texts <= MUCH { TEXT.0 } else { TEXT.1 };
        let mut detailed = Vec::new();
        for (run, summary) in summaries.iter().enumerate() {
            let tests = summary.tests.iter().enumerate();
            let found = tests.filter(|(_, test)| has_details(test, quiet));
            detailed.extend(found.map(|(index, _)| (run, index)));
        }
        Self { summaries, tables, detailed, text, quiet }
    }

    /// About how many bytes each takes.
    pub(super) fn sizes(&self) -> Vec<usize> {
        self.detailed.iter().map(|(run, index)| 64 + size(self.of(*run, *index))).collect()
    }

    /// The numbers of their tests.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.detailed.iter().map(|(run, index)| self.tables.test(*run, *index)).collect()
    }

    /// Some of them as JSON: a list of tests, each a list of tries.
    pub(super) fn piece(&self, range: Range<usize>) -> Vec<u8> {
        let tests: Vec<Vec<Attempt<'_>>> = self.detailed[range]
            .iter()
            .map(|(run, index)| self.attempts(*run, self.of(*run, *index)))
            .collect();
        serde_json::to_vec(&tests).expect("attempts are plain data")
    }

    /// Tries other than the one that decided, as the timeline shows them: test, outcome, lease,
    /// begin and milliseconds.
    pub(super) fn earlier(&self) -> Vec<Value> {
        let mut found = Vec::new();
        for (run, index) in &self.detailed {
            for one in &self.of(*run, *index).others {
                let start = since(self.summaries[*run], one.started);
                let lease = self.tables.lease(*run, one.lease);
                if start != UNKNOWN && lease != UNKNOWN {
                    let length = one.seconds.unwrap_or_default().duration().as_millis();
                    let test = self.tables.test(*run, *index);
                    let length = u32::try_from(length).unwrap_or(UNKNOWN);
                    found.push(json!([test, place(one.verdict.as_str()), lease, start, length]));
                }
            }
        }
        found
    }

    fn of(&self, run: usize, index: usize) -> &'a TestReport {
        &self.summaries[run].tests[index]
    }

    fn attempts(&self, run: usize, test: &'a TestReport) -> Vec<Attempt<'a>> {
        let mut tries: Vec<&Try> = test.others.iter().chain([&test.decisive]).collect();
        tries.sort_by_key(|one| one.number);
        tries.into_iter().map(|one| self.attempt(run, one)).collect()
    }

    fn attempt(&self, run: usize, one: &'a Try) -> Attempt<'a> {
        let lease = self.tables.lease(run, one.lease);
        let start = since(self.summaries[run], one.started);
        let shows_output = self.quiet || one.verdict != Verdict::Passed;
        Attempt {
            number: one.number,
            verdict: if one.lost { "lost" } else { one.verdict.as_str() },
            seconds: one.seconds.map(Into::into),
            start: (start != UNKNOWN).then_some(start),
            lease: (lease != UNKNOWN).then_some(lease),
            reason: one.reason.as_deref().map(|reason| self.shown(reason)),
            failures: one.failures.iter().map(|failure| self.raised(failure)).collect(),
            output: shows_output
                .then(|| coloured(&one.output.text, self.text))
                .filter(|it| !it.is_empty()),
            omitted: one.output.omitted,
        }
    }

    fn raised(&self, failure: &'a Failure) -> Raised<'a> {
        Raised {
            exception: &failure.exception,
            message: self.shown(&failure.message),
            traceback: coloured(&failure.traceback, self.text),
            subtest: failure.subtest.as_deref(),
        }
    }

    fn shown(&self, text: &str) -> String {
        shown(text, self.text)
    }
}

/// A text of several lines as it is shown: without what drives a terminal, and bounded.
fn shown(text: &str, limit: usize) -> String {
    bounded(text, limit, for_terminal)
}

/// The same with its colours, as marks.
pub(super) fn coloured(text: &str, limit: usize) -> String {
    bounded(text, limit, marked)
}

fn bounded(text: &str, limit: usize, clean: fn(&str) -> String) -> String {
    let is_plain = |byte: u8| matches!(byte, b'\n' | b' '..=b'~');
    match text.bytes().all(is_plain) {
        true => clip(text, limit),
        false => clip(&clean(text), limit),
    }
}

/// A try, as the script of the page reads it.
#[derive(Serialize)]
struct Attempt<'a> {
    number: u32,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Raised<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "is_nothing")]
    omitted: u64,
}

#[derive(Serialize)]
struct Raised<'a> {
    exception: &'a str,
    message: String,
    traceback: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtest: Option<&'a str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_nothing(number: &u64) -> bool {
    *number == 0
}

fn is_quiet(test: &TestReport) -> bool {
    test.outcome.verdict == Verdict::Passed && test.others.is_empty()
}

fn has_details(test: &TestReport, quiet: bool) -> bool {
    let decisive = &test.decisive;
    let printed = !decisive.output.text.is_empty() && (quiet || !is_quiet(test));
    printed || !test.others.is_empty() || !decisive.failures.is_empty() || decisive.reason.is_some()
}

fn size(test: &TestReport) -> usize {
    let of_output = |output: &Output| output.text.len();
    let of_failure = |failure: &Failure| failure.message.len() + failure.traceback.len();
    let of_try =
        |one: &Try| of_output(&one.output) + one.failures.iter().map(of_failure).sum::<usize>();
    of_try(&test.decisive) + test.others.iter().map(of_try).sum::<usize>()
}
