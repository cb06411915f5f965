//! Where the time of tests goes.

use std::collections::BTreeMap;

use muletrain_proto::seconds::Seconds;

use super::summary::{Summary, TestReport};

/// What times are added up over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Each test by itself.
    Test,
    /// Its class.
    Class,
    /// Its file, or its module where no file is known.
    File,
    /// Its app.
    App,
}

/// Something that takes time.
#[derive(Debug, Clone, PartialEq)]
pub struct Slow {
    /// What it is called.
    pub name: String,
    /// The time of its tests.
    pub seconds: Seconds,
    /// How many tests it is.
    pub tests: usize,
}

/// The slowest, at most so many.
#[must_use]
pub fn slowest(summaries: &[&Summary], by: By, most: usize) -> Vec<Slow> {
    let mut all = BTreeMap::<&str, (Seconds, usize)>::new();
    for summary in summaries {
        for test in &summary.tests {
            let Some(seconds) = test.decisive.seconds else { continue };
            let entry = all.entry(name(summary, test, by)).or_default();
            entry.0 += seconds;
            entry.1 += 1;
        }
    }
    let slow = |(name, (seconds, tests)): (&str, (Seconds, usize))| Slow {
        name: name.to_owned(),
        seconds,
        tests,
    };
    let mut all: Vec<Slow> = all.into_iter().map(slow).collect();
    all.sort_by(|one, other| other.seconds.get().total_cmp(&one.seconds.get()));
    all.truncate(most);
    all
}

fn name<'a>(summary: &'a Summary, test: &'a TestReport, by: By) -> &'a str {
    let class = summary.class(test);
    match by {
        By::Test => test.id.as_str(),
        By::Class => class.id.as_str(),
        By::File => class.file.as_deref().unwrap_or(&class.module),
        By::App => class.app.as_str(),
    }
}
