//! Runs that are over, or were, in a folder of runs: found by name, and read without a change.

use std::fs;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use muletrain_proto::id::RunId;
use muletrain_proto::journal::{self, FILE_NAME, Record};

use crate::packed;

/// Name that stands for the newest run.
const LAST: &str = "last";

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
    /// The folder has no runs at all.
    #[error("no run is stored in {}; --results names the folder of runs", folder.display())]
    None {
        /// The folder.
        folder: PathBuf,
    },
    /// No run has such a name.
    #[error(
        "no run in {} is called {name:?} or begins so; the newest is {newest}",
        folder.display()
    )]
    Unknown {
        /// The folder.
        folder: PathBuf,
        /// As given.
        name: String,
        /// The newest run that there is.
        newest: RunId,
    },
    /// Several begin so.
    #[error("{name:?} may be {first} or {second}; write more of it")]
    Ambiguous {
        /// As given.
        name: String,
        /// One of them.
        first: RunId,
        /// Another one.
        second: RunId,
    },
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
    if name == LAST
        && let Some(stored) = newest_first(folder).next()
    {
        return Ok(stored);
    }
    let run = choose(folder, &names(folder), name)?;
    let records = read(&folder.join(run.as_str()).join(FILE_NAME))?;
    Ok(Stored { run, records })
}

/// Every run, the newest first, apart from those that only repeat what happened in others; one
/// whose journal cannot be read is left out, and told of.
pub fn newest_first(folder: &Path) -> impl Iterator<Item = Stored> + use<'_> {
    let runs = names(folder).into_iter().rev().filter_map(|run| {
        match read(&folder.join(run.as_str()).join(FILE_NAME)) {
            Ok(records) => Some(Stored { run, records }),
            Err(error) => {
                tracing::warn!("{}", muletrain_proto::cli::chain(&error));
                None
            }
        }
    });
    runs.filter(|stored| !repeats(stored))
}

fn repeats(stored: &Stored) -> bool {
    matches!(stored.records.first(), Some(Record::Opened { options, .. }) if options.ordered)
}

/// Runs that have a journal, the oldest first: ids begin with their time.
fn names(folder: &Path) -> Vec<RunId> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let has_journal = |run: &RunId| packed::find(&folder.join(run.as_str())).is_some();
    let mut runs: Vec<RunId> = entries
        .filter_map(|entry| RunId::new(entry.file_name().into_string().ok()?).ok())
        .filter(has_journal)
        .collect();
    runs.sort();
    runs
}

fn choose(folder: &Path, runs: &[RunId], name: &str) -> Result<RunId, Error> {
    let folder = || folder.to_owned();
    let newest = runs.last().ok_or_else(|| Error::None { folder: folder() })?;
    if name == LAST {
        return Ok(newest.clone());
    }
    if let Some(run) = runs.iter().find(|run| run.as_str() == name) {
        return Ok(run.clone());
    }
    let mut begin = runs.iter().filter(|run| run.as_str().starts_with(name));
    let name = name.to_owned();
    match (begin.next(), begin.next()) {
        (Some(run), None) => Ok(run.clone()),
        (None, _) => Err(Error::Unknown { folder: folder(), name, newest: newest.clone() }),
        (Some(first), Some(second)) => {
            Err(Error::Ambiguous { name, first: first.clone(), second: second.clone() })
        }
    }
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
    fn a_run_goes_by_its_name_the_beginning_of_it_or_as_the_last() {
        let folder = tempfile::tempdir().unwrap();
        store(folder.path(), &["20260101-120000", "20260102-090000", "20260102-090000-1"]);
        fs::create_dir(folder.path().join("20270101-000000")).unwrap();
        let name = |name: &str| find(folder.path(), name).map(|stored| stored.run.to_string());
        assert_eq!(name("last").unwrap(), "20260102-090000-1");
        assert_eq!(name("20260101").unwrap(), "20260101-120000");
        assert_eq!(name("20260102-090000").unwrap(), "20260102-090000");
        assert!(matches!(name("202601"), Err(Error::Ambiguous { .. })));
        let error = name("2025").unwrap_err().to_string();
        assert!(error.ends_with("the newest is 20260102-090000-1"), "{error}");
        let newest: Vec<_> = newest_first(folder.path()).map(|stored| stored.run).collect();
        assert_eq!((newest.len(), newest[0].as_str()), (3, "20260102-090000-1"));
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
        assert!(matches!(find(folder.path(), "last"), Err(Error::None { .. })));
        assert!(matches!(find(&folder.path().join("x"), "last"), Err(Error::None { .. })));
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
