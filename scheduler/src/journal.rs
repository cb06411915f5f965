//! The journal of a run on disk: append, durable where it must be, and read back after a restart.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use muletrain_proto::id::RunId;
use muletrain_proto::journal::{self, Entry, FILE_NAME, Header, Record};

/// A journal open for appending.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    lines: u64,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk says no.
    #[error("cannot {verb} the journal {}", path.display())]
    Disk {
        /// What was tried.
        verb: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is stored is no journal of this version.
    #[error("{}, line {line}", path.display())]
    Line {
        /// Which.
        path: PathBuf,
        /// Where.
        line: u64,
        /// Why.
        source: journal::Error,
    },
}

impl Journal {
    /// Starts the journal of a new run in a directory of its own, which only its owner can read.
    ///
    /// # Errors
    /// When the directory is there already, or the disk says no.
    pub fn create(runs: &Path, run: &RunId) -> Result<Self, Error> {
        let directory = runs.join(run.as_str());
        let path = directory.join(FILE_NAME);
        let failed = |source| Error::Disk { verb: "create", path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(runs).map_err(failed)?;
        DirBuilder::new().mode(0o700).create(&directory).map_err(failed)?;
        let mut options = OpenOptions::new();
        let file = options.append(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        hold(&file);
        let mut journal = Self { path, file, lines: 0 };
        journal.write(&journal::line(&Header::new(run.clone())), 1, true)?;
        Ok(journal)
    }

    /// Reads a stored journal and opens it for more. A last line that was cut off is cut away.
    ///
    /// # Errors
    /// When the disk says no, or a line is not one of this version.
    pub fn resume(path: &Path) -> Result<(Self, Header, Vec<Entry>), Error> {
        let disk = |verb| move |source| Error::Disk { verb, path: path.to_owned(), source };
        let mut reader = BufReader::new(File::open(path).map_err(disk("open"))?);
        let (mut header, mut entries, mut lines, mut length) = (None, Vec::new(), 0, 0);
        let mut text = String::new();
        while reader.read_line(&mut text).map_err(disk("read"))? > 0 && text.ends_with('\n') {
            let wrong = |source| Error::Line { path: path.to_owned(), line: lines + 1, source };
            match header {
                None => header = Some(journal::read_header(&text).map_err(wrong)?),
                Some(_) => entries.push(journal::read_entry(&text).map_err(wrong)?),
            }
            lines += 1;
            length += text.len() as u64;
            text.clear();
        }
        let empty = || io::Error::new(io::ErrorKind::UnexpectedEof, "it has no header");
        let header = header.ok_or_else(empty).map_err(disk("read"))?;
        let file = OpenOptions::new().append(true).open(path).map_err(disk("open"))?;
        hold(&file);
        file.set_len(length).map_err(disk("cut off the end of"))?;
        Ok((Self { path: path.to_owned(), file, lines }, header, entries))
    }

    /// Appends records, all or, after a crash, a first part of them.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn append<'a>(
        &mut self,
        at: u64,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<(), Error> {
        let (mut text, mut count, mut durable) = (String::new(), 0, false);
        for record in records {
            let entry = Entry { number: self.lines + count, at, record: record.clone() };
            text += &journal::line(&entry);
            count += 1;
            durable |= must_last(record);
        }
        self.write(&text, count, durable)
    }

    fn write(&mut self, text: &str, lines: u64, durable: bool) -> Result<(), Error> {
        let failed = |source| Error::Disk { verb: "write", path: self.path.clone(), source };
        (&self.file).write_all(text.as_bytes()).map_err(failed)?;
        if durable {
            self.file.sync_data().map_err(failed)?;
        }
        self.lines += lines;
        Ok(())
    }

    /// Lines written so far, the header counted.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Says that a journal is being written, for as long as it is open: so it is neither packed nor
/// removed, and whoever reads along knows that there is more to come. A disk without locks has to
/// do without.
fn hold(file: &File) {
    if let Err(error) = file.try_lock() {
        tracing::debug!("a journal is written without a lock: {error}");
    }
}

/// What must be on the disk before it has any effect: an agent may act on it.
fn must_last(record: &Record) -> bool {
    matches!(
        record,
        Record::Opened { .. } | Record::Leased { .. } | Record::Granted { .. } | Record::Closed
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use muletrain_proto::run::Stop;

    use super::*;

    fn run() -> RunId {
        RunId::new("r1").unwrap()
    }

    fn stopping() -> Record {
        Record::Stopping { stop: Stop::Interrupted }
    }

    #[test]
    fn what_was_written_is_read_back_and_can_be_continued() {
        let runs = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(runs.path(), &run()).unwrap();
        journal.append(7, [stopping(), Record::Closed].iter()).unwrap();
        let path = journal.path().to_owned();
        drop(journal);

        let (mut journal, header, entries) = Journal::resume(&path).unwrap();
        assert_eq!(header, Header::new(run()));
        assert_eq!(entries[1], Entry { number: 2, at: 7, record: Record::Closed });
        journal.append(8, [stopping()].iter()).unwrap();
        assert_eq!(Journal::resume(&path).unwrap().2[2].number, 3);
    }

    #[test]
    fn a_torn_last_line_is_cut_away_at_any_byte() {
        let runs = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(runs.path(), &run()).unwrap();
        journal.append(7, [stopping(), stopping()].iter()).unwrap();
        let whole = std::fs::read(journal.path()).unwrap();
        let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in header..whole.len() {
            std::fs::write(journal.path(), &whole[..length]).unwrap();
            let (mut resumed, _, entries) = Journal::resume(journal.path()).unwrap();
            let kept = entries.len();
            resumed.append(8, [Record::Closed].iter()).unwrap();
            assert_eq!(Journal::resume(journal.path()).unwrap().2.len(), kept + 1);
        }
    }

    #[test]
    fn damage_in_the_middle_is_named_with_its_line() {
        let runs = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(runs.path(), &run()).unwrap();
        (&journal.file).write_all(b"{}\n").unwrap();
        journal.append(7, [stopping()].iter()).unwrap();
        let error = Journal::resume(journal.path()).unwrap_err().to_string();
        assert!(error.ends_with("journal.jsonl, line 2"), "{error}");
    }

    #[test]
    fn it_is_locked_for_as_long_as_it_is_open() {
        let runs = tempfile::tempdir().unwrap();
        let journal = Journal::create(runs.path(), &run()).unwrap();
        let path = journal.path().to_owned();
        let is_free = || File::open(&path).unwrap().try_lock_shared().is_ok();
        assert!(!is_free());
        drop(journal);
        assert!(is_free());
        let (_journal, _, _) = Journal::resume(&path).unwrap();
        assert!(!is_free());
    }

    #[test]
    fn only_its_owner_can_read_it() {
        let runs = tempfile::tempdir().unwrap();
        let journal = Journal::create(runs.path(), &run()).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(journal.path()), 0o600);
        assert_eq!(mode(journal.path().parent().unwrap()), 0o700);
    }
}
