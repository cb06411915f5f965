//! Many results in their order: how runs went, and how each test went over them.

use std::collections::BTreeMap;

use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::RunId;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::counts::Counts;
use super::summary::{Moment, Summary};

/// How a test went in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It was not there.
    Absent,
    /// It passed.
    Passed,
    /// It passed after failing.
    Flaky,
    /// It is red.
    Red,
    /// It was skipped, or did not run.
    Quiet,
}

impl Mark {
    /// The mark as a character of a strip.
    #[must_use]
    pub fn as_char(self) -> char {
        match self {
            Self::Absent => ' ',
            Self::Passed => '.',
            Self::Flaky => '~',
            Self::Red => 'F',
            Self::Quiet => '-',
        }
    }
}

/// A run among others.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id, or the path of what it was read from.
    pub name: String,
    /// The commit it tested, where that is known.
    pub commit: Option<String>,
    /// What it tested, to the last byte.
    snapshot: Option<String>,
    /// When it was opened.
    pub opened: Moment,
    /// How long it took; unknown for results of other tools.
    pub wall: Option<Seconds>,
    /// Its totals.
    pub counts: Counts,
    /// What it came to.
    pub exit: ExitCode,
}

/// A test over all runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Test {
    /// How it went in each run, in their order.
    pub marks: Vec<Mark>,
    /// Time it took when it ran last.
    pub seconds: Option<Seconds>,
}

/// Runs and what became of each test in them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// In the order they were taken.
    pub runs: Vec<Run>,
    /// By id.
    pub tests: BTreeMap<String, Test>,
}

impl History {
    /// Takes the next run. `name` is what it is called where it has no id.
    pub fn take(&mut self, summary: &Summary, name: &str) {
        let snapshot = summary.snapshot.as_deref();
        let revision = snapshot.and_then(|snapshot| snapshot.revision.as_ref());
        let place = self.runs.len();
        self.runs.push(Run {
            name: summary.run.as_ref().map_or(name.to_owned(), RunId::to_string),
            commit: revision.map(|revision| revision.commit.clone()),
            snapshot: snapshot.map(|snapshot| snapshot.id.to_string()),
            opened: summary.opened,
            wall: (!summary.is_foreign()).then(|| summary.wall()),
            counts: summary.counts,
            exit: summary.exit,
        });
        for test in &summary.tests {
            let known = self.tests.entry(test.id.to_string()).or_default();
            known.marks.resize(place + 1, Mark::Absent);
            known.marks[place] = match test.outcome.verdict {
                _ if test.outcome.flaky => Mark::Flaky,
                Verdict::Passed => Mark::Passed,
                Verdict::Skipped | Verdict::ExpectedFailure | Verdict::NotRun => Mark::Quiet,
                _ => Mark::Red,
            };
            known.seconds = test.decisive.seconds.or(known.seconds);
        }
    }

    /// Puts runs into the order of their moments; those without one stay in front as they came.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        let mut order: Vec<usize> = (0..self.runs.len()).collect();
        order.sort_by_key(|index| self.runs[*index].opened);
        self.runs = order.iter().map(|index| self.runs[*index].clone()).collect();
        for test in self.tests.values_mut() {
            test.marks.resize(order.len(), Mark::Absent);
            test.marks = order.iter().map(|index| test.marks[*index]).collect();
        }
        self
    }

    /// Tests that failed and passed on the same code: within a run, or in two runs of one snapshot.
    /// The most shaky first.
    #[must_use]
    pub fn flaky(&self) -> Vec<(&str, &Test)> {
        let shaky = self.tests.iter().filter(|(_, test)| self.is_flaky(test));
        let mut found: Vec<(&str, &Test)> = shaky.map(|(id, test)| (id.as_str(), test)).collect();
        found.sort_by_key(|(_, test)| {
            std::cmp::Reverse(test.count(Mark::Flaky) + test.count(Mark::Red))
        });
        found
    }

    fn is_flaky(&self, test: &Test) -> bool {
        let mut seen = BTreeMap::<&str, (bool, bool)>::new();
        for (run, mark) in self.runs.iter().zip(&test.marks) {
            let Some(snapshot) = run.snapshot.as_deref() else { continue };
            let (passed, red) = seen.entry(snapshot).or_default();
            *passed |= *mark == Mark::Passed;
            *red |= *mark == Mark::Red;
        }
        test.count(Mark::Flaky) > 0 || seen.values().any(|(passed, red)| *passed && *red)
    }

    /// Tests that were not green in every run, the worst first.
    #[must_use]
    pub fn troubled(&self) -> Vec<(&str, &Test)> {
        let trouble = |test: &Test| test.count(Mark::Red) + test.count(Mark::Flaky);
        let found = self.tests.iter().filter(|(_, test)| trouble(test) > 0);
        let mut found: Vec<(&str, &Test)> = found.map(|(id, test)| (id.as_str(), test)).collect();
        found.sort_by_key(|(_, test)| std::cmp::Reverse(trouble(test)));
        found
    }
}

impl Test {
    /// In how many runs it went like this.
    #[must_use]
    pub fn count(&self, mark: Mark) -> usize {
        self.marks.iter().filter(|one| **one == mark).count()
    }

    /// All runs, the oldest first, a character each.
    #[must_use]
    pub fn strip(&self) -> String {
        self.marks.iter().map(|mark| mark.as_char()).collect()
    }
}
