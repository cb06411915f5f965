//! The journal of a run, as far as it is written, and what it says of each test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use muletrain_proto::event::Event;
use muletrain_proto::id::LeaseId;
use muletrain_proto::journal::{FILE_NAME, Record, read_entry, read_header};
use muletrain_proto::lease::Work;
use muletrain_proto::verdict::Verdict;

use crate::program::output;

/// Verdicts of tests, and of fixtures that broke, by their ids.
pub type Verdicts = BTreeMap<String, Verdict>;

/// What is written of a journal.
#[derive(Debug)]
pub struct Journal {
    /// Its text.
    pub text: String,
    /// Its records.
    pub records: Vec<Record>,
}

impl Journal {
    /// Reads what is there of the journal in a run's folder.
    ///
    /// # Panics
    /// When a line of it cannot be read.
    #[must_use]
    pub fn read(folder: &Path) -> Option<Self> {
        let text = text(folder)?;
        // A line without its end is still written.
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        read_header(lines.next()?).expect("a journal begins with its header");
        let entry = |line| read_entry(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let records = lines.map(|line| entry(line).record).collect();
        Some(Self { records, text })
    }

    /// What happened in pods, with the lease of each.
    pub fn events(&self) -> impl Iterator<Item = (LeaseId, &Event)> {
        self.records.iter().filter_map(|record| match record {
            Record::Observed { lease, event, .. } => Some((*lease, event)),
            _ => None,
        })
    }

    /// Whether the run is over and said so.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.records.last(), Some(Record::Closed))
    }

    /// Names of the agents that took part.
    #[must_use]
    pub fn agents(&self) -> BTreeSet<String> {
        let agents = self.records.iter().filter_map(|record| match record {
            Record::AgentJoined { agent } => Some(agent.agent.to_string()),
            _ => None,
        });
        agents.collect()
    }

    /// What was leased, in the order it was.
    pub fn leased(&self) -> impl Iterator<Item = &Work> {
        self.records.iter().filter_map(|record| match record {
            Record::Leased { lease, .. } => Some(&lease.work),
            _ => None,
        })
    }

    /// Whether a test has begun.
    #[must_use]
    pub fn has_started(&self, wanted: &str) -> bool {
        let begins =
            |event: &Event| matches!(event, Event::Started { test, .. } if test.as_str() == wanted);
        self.events().any(|(_, event)| begins(event))
    }

    /// The first verdict of every test: nothing that comes later may change it.
    #[must_use]
    pub fn verdicts(&self) -> Verdicts {
        let mut verdicts = Verdicts::new();
        for (id, verdict) in self.records.iter().flat_map(settled) {
            verdicts.entry(id).or_insert(verdict);
        }
        verdicts
    }
}

/// What is written, unpacked where it was packed.
fn text(folder: &Path) -> Option<String> {
    let path = folder.join(FILE_NAME);
    let packed = folder.join(format!("{FILE_NAME}.gz"));
    match packed.is_file() && !path.exists() {
        true => Some(output(Command::new("gzip").arg("-dc").arg(packed)) + "\n"),
        false => fs::read_to_string(path).ok(),
    }
}

/// What a record says of the outcome of tests.
fn settled(record: &Record) -> Vec<(String, Verdict)> {
    match record {
        Record::Settled { test, verdict, .. } => vec![(test.to_string(), *verdict)],
        Record::Inventory { inventory, .. } => {
            let errors = inventory.errors.iter();
            errors.map(|error| (error.id.to_string(), Verdict::Error)).collect()
        }
        Record::Observed { event: Event::Finished(finished), .. } => {
            vec![(finished.test.to_string(), finished.verdict)]
        }
        Record::Observed { event: Event::TimedOut(late), .. } => {
            let others = late.tests.iter().map(|test| (test.to_string(), Verdict::NotRun));
            std::iter::once((late.test.to_string(), Verdict::TimedOut)).chain(others).collect()
        }
        Record::Observed { event: Event::Fixture(fixture), .. } => {
            let members = fixture.tests.iter().map(|test| (test.to_string(), Verdict::NotRun));
            // As unittest has it, a fixture that skips is no result of its own.
            let own = (fixture.verdict != Verdict::Skipped)
                .then(|| (fixture.id.to_string(), fixture.verdict));
            own.into_iter().chain(members).collect()
        }
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_still_written_is_not_read_and_what_comes_first_counts() {
        let folder = tempfile::tempdir().unwrap();
        let settled = |number, verdict| {
            format!(
                r#"{{"number":{number},"at":0,"record":"settled","test":"a.B.c","try":1,"verdict":"{verdict}","reason":"why","lease":null,"lost":false}}"#
            )
        };
        let lines = [
            r#"{"muletrain_journal":1,"run":"one"}"#.to_owned(),
            settled(1, "crashed"),
            settled(2, "passed"),
            r#"{"number":3,"at":0,"record":"clo"#.to_owned(),
        ];
        fs::write(folder.path().join(FILE_NAME), lines.join("\n")).unwrap();
        let journal = Journal::read(folder.path()).unwrap();
        assert_eq!(journal.records.len(), 2);
        assert_eq!(journal.verdicts(), Verdicts::from([("a.B.c".to_owned(), Verdict::Crashed)]));
        assert!(!journal.is_closed());
    }
}
