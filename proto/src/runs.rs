//! A folder of stored runs: what is where in it, and which run goes by a name.
//!
//! Each run has a directory that is called by its id, with its journal, as text or packed with
//! gzip.

use std::path::{Path, PathBuf};

use crate::id::RunId;
use crate::journal::FILE_NAME;

/// Name that stands for the newest run.
pub const LAST: &str = "last";

/// Folder beside the runs with files that several of them hold, by their digests. No run can have
/// that name.
pub const CONTENT: &str = ".content";

/// Why there is no such run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder has no runs at all.
    #[error("no run is stored in {}; --results names another folder of runs", folder.display())]
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
}

/// The run of a name and its journal: `last`, an id, or what no other run's id begins with.
///
/// # Errors
/// When there is no such run, or several.
pub fn find(folder: &Path, name: &str) -> Result<(RunId, PathBuf), Error> {
    let mut runs = all(folder);
    let owned = || folder.to_owned();
    let Some(newest) = runs.last() else { return Err(Error::None { folder: owned() }) };
    if name == LAST {
        return Ok(newest.clone());
    }
    if let Some(run) = runs.iter().find(|(run, _)| run.as_str() == name) {
        return Ok(run.clone());
    }
    let newest = newest.0.clone();
    runs.retain(|(run, _)| run.as_str().starts_with(name));
    let (name, mut begin) = (name.to_owned(), runs.into_iter());
    match (begin.next(), begin.next()) {
        (Some(run), None) => Ok(run),
        (None, _) => Err(Error::Unknown { folder: owned(), name, newest }),
        (Some((first, _)), Some((second, _))) => Err(Error::Ambiguous { name, first, second }),
    }
}

/// Runs that have a journal, and where that is, the oldest first: ids begin with their time.
#[must_use]
pub fn all(folder: &Path) -> Vec<(RunId, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let run = |entry: std::fs::DirEntry| {
        let run = RunId::new(entry.file_name().into_string().ok()?).ok()?;
        Some((run, journal_in(&entry.path())?))
    };
    let mut runs: Vec<(RunId, PathBuf)> = entries.filter_map(run).collect();
    runs.sort();
    runs
}

/// The journal in a run's directory; none where it has none.
#[must_use]
pub fn journal_in(directory: &Path) -> Option<PathBuf> {
    let plain = directory.join(FILE_NAME);
    let packed = packed_path(&plain);
    [plain, packed].into_iter().find(|path| path.is_file())
}

/// Where the packed form of a journal is.
#[must_use]
pub fn packed_path(journal: &Path) -> PathBuf {
    let mut path = journal.as_os_str().to_owned();
    path.push(".gz");
    path.into()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(journals: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for journal in journals {
            let path = folder.path().join(journal);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn a_run_goes_by_its_id_the_beginning_of_it_or_as_the_last() {
        let folder = folder(&[
            "20260101-120000/journal.jsonl.gz",
            "20260102-090000/journal.jsonl",
            "20260102-090000-1/journal.jsonl",
            "20270101-000000/no-journal",
        ]);
        let name = |name: &str| find(folder.path(), name).map(|(run, _)| run.to_string());
        assert_eq!(name("last").unwrap(), "20260102-090000-1");
        assert_eq!(name("20260101").unwrap(), "20260101-120000");
        assert_eq!(name("20260102-090000").unwrap(), "20260102-090000");
        assert!(matches!(name("202601"), Err(Error::Ambiguous { .. })));
        let error = name("2025").unwrap_err().to_string();
        assert!(error.ends_with("the newest is 20260102-090000-1"), "{error}");
    }

    #[test]
    fn a_folder_without_runs_and_no_folder_are_told_alike() {
        let folder = folder(&["nothing"]);
        assert!(matches!(find(folder.path(), "last"), Err(Error::None { .. })));
        assert!(matches!(find(&folder.path().join("x"), "a"), Err(Error::None { .. })));
    }
}
