//! A column for each thing that is known of every test, in the order of the report.

use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::cause::Cause;
use super::tables::Tables;
use crate::pure::summary::{Moment, Summary, TestReport};

/// What stands for a number that is not known.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Outcomes in the order of their numbers, as the filter names them.
pub(super) const OUTCOMES: [&str; 11] = [
    "passed",
    "flaky",
    "skipped",
    "expected_failure",
    "unexpected_success",
    "failed",
    "error",
    "crashed",
    "timed_out",
    "not_run",
    "lost",
];

/// Begins a name that is a whole id: its class is no part of it.
const WHOLE: char = '\u{1}';

/// The columns.
pub(super) struct Columns {
    /// Names within their classes, each followed by the one character that no name can hold.
    pub(super) names: String,
    pub(super) class: Vec<u32>,
    pub(super) outcome: Vec<u8>,
    /// Tenths of milliseconds.
    pub(super) time: Vec<u32>,
    /// Milliseconds since the run was opened.
    pub(super) start: Vec<u32>,
    pub(super) lease: Vec<u32>,
    pub(super) cause: Vec<u32>,
    pub(super) line: Vec<u32>,
    pub(super) tries: Vec<u8>,
}

impl Columns {
    pub(super) fn new(summaries: &[&Summary], causes: &[Cause], tables: &Tables) -> Self {
        let count = summaries.iter().map(|summary| summary.tests.len()).sum();
        let mut columns = Self {
            names: String::with_capacity(count * 32),
            class: Vec::with_capacity(count),
            outcome: Vec::with_capacity(count),
            time: Vec::with_capacity(count),
            start: Vec::with_capacity(count),
            lease: Vec::with_capacity(count),
            cause: vec![UNKNOWN; count],
            line: Vec::with_capacity(count),
            tries: Vec::with_capacity(count),
        };
        for (run, summary) in summaries.iter().enumerate() {
            for test in &summary.tests {
                let class = tables.class(run, test.class);
                columns.name(test.id.as_str(), &tables.class_ids[class]);
                columns.class.push(number(class));
                columns.outcome.push(place(outcome(test)));
                columns.time.push(tenths(test.decisive.seconds));
                columns.start.push(since(summary, test.decisive.started));
                columns.lease.push(tables.lease(run, test.decisive.lease));
                columns.line.push(test.line.unwrap_or(UNKNOWN));
                let tries = 1 + test.others.len();
                columns.tries.push(u8::try_from(tries).unwrap_or(u8::MAX));
            }
        }
        for (cause, found) in (0..).zip(causes) {
            for (run, index) in &found.tests {
                columns.cause[tables.test(*run, *index) as usize] = cause;
            }
        }
        columns
    }

    fn name(&mut self, id: &str, class: &str) {
        match id.strip_prefix(class).and_then(|rest| rest.strip_prefix('.')) {
            Some(name) if !name.starts_with(WHOLE) => self.names.push_str(name),
            _ => {
                self.names.push(WHOLE);
                self.names.push_str(id);
            }
        }
        self.names.push('\0');
    }
}

/// The name of how a test ended. Work that was lost is told from what did not run for a reason.
pub(super) fn outcome(test: &TestReport) -> &'static str {
    match test.outcome.verdict {
        Verdict::NotRun if test.decisive.lost => "lost",
        _ => test.outcome.as_str(),
    }
}

/// The number of an outcome.
pub(super) fn place(outcome: &str) -> u8 {
    let place = OUTCOMES.iter().position(|one| *one == outcome);
    place.and_then(|place| u8::try_from(place).ok()).expect("every outcome is listed")
}

pub(super) fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(UNKNOWN)
}

fn tenths(seconds: Option<Seconds>) -> u32 {
    let tenths = |time: Seconds| u32::try_from(time.duration().as_micros() / 100);
    seconds.map_or(UNKNOWN, |time| tenths(time).unwrap_or(UNKNOWN - 1).min(UNKNOWN - 1))
}

/// Milliseconds from the opening of a run; clocks of other tools' hosts are not compared.
pub(super) fn since(summary: &Summary, moment: Option<Moment>) -> u32 {
    let known = moment.filter(|_| !summary.is_foreign());
    known.map_or(UNKNOWN, |moment| {
        u32::try_from(moment.saturating_sub(summary.opened)).unwrap_or(UNKNOWN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_its_number() {
        for verdict in Verdict::ALL {
            assert_eq!(OUTCOMES[usize::from(place(verdict.as_str()))], verdict.as_str());
        }
        assert_eq!(place("flaky"), 1);
    }

    #[test]
    fn times_keep_their_precision() {
        let tenths = |seconds| tenths(Seconds::new(seconds).ok());
        assert_eq!(tenths(0.0123), 123);
        assert_eq!(tenths(86_400.0), 864_000_000);
        assert_eq!(tenths(1e300), UNKNOWN - 1);
        assert_eq!(tenths(-1.0), UNKNOWN);
    }
}
