//! Runs that are over, or were, in a folder of runs: read without a change.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use muletrain_proto::id::RunId;
use muletrain_proto::journal::{self, Record};
use muletrain_proto::runs;

use crate::packed;

/// A stored run.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Which.
    pub run: RunId,
    /// What its journal tells, as far as it was written.
    pub records: Vec<Record>,
}

/// Why there is no such run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such run.
    #[error(transparent)]
    Run(#[from] runs::Error),
    /// Its journal cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The journal.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of it is none of a journal.
    #[error("cannot read {}, line {line}", path.display())]
    Line {
        /// The journal.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Why.
        source: journal::Error,
    },
}

/// The run of a name: `last`, its id, or what no other run's id begins with.
///
/// # Errors
/// When there is no such run, or several, or its journal cannot be read.
pub fn find(folder: &Path, name: &str) -> Result<Stored, Error> {
    if name == runs::LAST
        && let Some(stored) = newest_first(folder).next()
    {
        return Ok(stored);
    }
    let (run, journal) = runs::find(folder, name)?;
    Ok(Stored { run, records: read(&journal)? })
}

/// Every run, the newest first, apart from those that only repeat what happened in others; one
/// whose journal cannot be read is left out, and told of.
pub fn newest_first(folder: &Path) -> impl Iterator<Item = Stored> + use<'_> {
    let runs = runs::all(folder).into_iter().rev().filter_map(|(run, journal)| {
        let records = read(&journal);
        let told = |error: &Error| tracing::warn!("{}", muletrain_proto::cli::chain(error));
        records.inspect_err(told).ok().map(|records| Stored { run, records })
    });
    runs.filter(|stored| !repeats(stored))
}

fn repeats(stored: &Stored) -> bool {
    matches!(stored.records.first(), Some(Record::Opened { options, .. }) if options.ordered)
}

/// The records of a journal, packed or not. A last line that was cut off, or is being written, is
/// left out.
fn read(path: &Path) -> Result<Vec<Record>, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let mut reader = packed::open(path).map_err(failed)?;
    let (mut records, mut text) = (Vec::new(), String::new());
    for line in 1.. {
        text.clear();
        reader.read_line(&mut text).map_err(failed)?;
        if !text.ends_with('\n') {
            break;
        }
        let wrong = |source| Error::Line { path: path.to_owned(), line, source };
        match line {
            1 => drop(journal::read_header(&text).map_err(wrong)?),
            _ => records.push(journal::read_entry(&text).map_err(wrong)?.record),
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use muletrain_proto::journal::FILE_NAME;
    use muletrain_proto::run::Stop;

    use super::*;
    use crate::journal::Journal;

    fn store(folder: &Path, names: &[&str]) {
        for name in names {
            let mut journal = Journal::create(folder, &RunId::new(*name).unwrap()).unwrap();
            let stopping = Record::Stopping { stop: Stop::Interrupted };
            journal.append(1, [stopping].iter()).unwrap();
        }
    }

    #[test]
    fn a_run_whose_journal_is_packed_is_a_run_like_any_other() {
        let folder = tempfile::tempdir().unwrap();
        store(folder.path(), &["20260101-120000", "20260102-090000"]);
        let before = find(folder.path(), "20260101").unwrap();
        packed::pack(&folder.path().join("20260101-120000").join(FILE_NAME)).unwrap();
        assert_eq!(find(folder.path(), "20260101").unwrap(), before);
        assert_eq!(newest_first(folder.path()).count(), 2);
    }

    #[test]
    fn where_there_is_no_run_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(find(folder.path(), "last"), Err(Error::Run(runs::Error::None { .. }))));
        assert!(matches!(
            find(&folder.path().join("x"), "last"),
            Err(Error::Run(runs::Error::None { .. }))
        ));
    }

    #[test]
    fn a_line_that_is_being_written_is_left_out_and_a_wrong_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        store(folder.path(), &["r1"]);
        let path = folder.path().join("r1").join(FILE_NAME);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{{\"number\":2,")).unwrap();
        assert_eq!(find(folder.path(), "r1").unwrap().records.len(), 1);
        fs::write(&path, format!("{whole}{{}}\n")).unwrap();
        let error = find(folder.path(), "r1").unwrap_err().to_string();
        assert!(error.ends_with("journal.jsonl, line 3"), "{error}");
    }
}
