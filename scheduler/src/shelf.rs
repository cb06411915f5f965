//! The journals of all runs: those being written, and those that are over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use muletrain_proto::id::RunId;
use muletrain_proto::journal::Record;
use muletrain_proto::run::{Overview, State};
use muletrain_proto::runs;
use tokio::sync::watch;

use crate::handle::{Followed, Written};
use crate::journal::{Error, Journal};
use crate::packed;
use crate::pure::run::Run;

/// Runs that may be created within one second before the clock has to move on.
const SAME_SECOND: u32 = 1000;

/// The journals of all runs.
#[derive(Debug)]
pub(crate) struct Shelf {
    directory: PathBuf,
    open: BTreeMap<RunId, Open>,
    closed: BTreeMap<RunId, Overview>,
}

#[derive(Debug)]
struct Open {
    journal: Journal,
    written: watch::Sender<Written>,
    opened_at: u64,
    overview: Option<Overview>,
}

impl Shelf {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, open: BTreeMap::new(), closed: BTreeMap::new() }
    }

    /// Starts a journal under a name made of the time.
    pub(crate) fn create(&mut self, now: u64) -> Result<RunId, Error> {
        let mut attempt = 0;
        loop {
            let run = run_id(now, attempt);
            match Journal::create(&self.directory, &run) {
                Ok(journal) => {
                    self.keep(run.clone(), journal, now);
                    return Ok(run);
                }
                Err(Error::Disk { source, .. })
                    if source.kind() == std::io::ErrorKind::AlreadyExists
                        && attempt < SAME_SECOND =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn keep(&mut self, run: RunId, journal: Journal, opened_at: u64) {
        let written = Written { lines: journal.lines(), closed: false };
        let (written, _) = watch::channel(written);
        self.open.insert(run, Open { journal, written, opened_at, overview: None });
    }

    /// Appends to a run's journal and tells whoever follows it.
    pub(crate) fn append<'a>(
        &mut self,
        run: &RunId,
        now: u64,
        records: impl Iterator<Item = &'a Record>,
    ) -> Result<(), Error> {
        let Some(open) = self.open.get_mut(run) else { return Ok(()) };
        open.journal.append(now, records)?;
        open.written.send_modify(|written| written.lines = open.journal.lines());
        Ok(())
    }

    /// No more will be written about a run.
    pub(crate) fn close(&mut self, run: &RunId) {
        if let Some(open) = self.open.remove(run) {
            open.written.send_modify(|written| written.closed = true);
            if let Some(overview) = open.overview {
                self.closed.insert(run.clone(), Overview { state: State::Closed, ..overview });
            }
        }
    }

    pub(crate) fn path(&self, run: &RunId) -> Option<PathBuf> {
        self.open.get(run).map(|open| open.journal.path().to_owned())
    }

    /// A journal to read along; one of an earlier run is as long as it is.
    pub(crate) fn follow(&self, run: &RunId) -> Option<Followed> {
        if let Some(open) = self.open.get(run) {
            let path = open.journal.path().to_owned();
            return Some(Followed { path, written: open.written.subscribe() });
        }
        let path = runs::journal_in(&self.directory.join(run.as_str()))?;
        let lines = count_lines(&path).ok()?;
        let (_, written) = watch::channel(Written { lines, closed: true });
        Some(Followed { path, written })
    }

    /// The run that was opened last; ids begin with their time.
    pub(crate) fn newest(&self) -> Option<RunId> {
        self.stored().into_iter().max()
    }

    fn stored(&self) -> Vec<RunId> {
        let entries = std::fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter_map(|name| RunId::new(name).ok()).collect()
    }

    /// Opens again the journals of runs that were not over, and gives what they recorded.
    pub(crate) fn recover(&mut self) -> Vec<(RunId, Vec<Record>)> {
        let mut recovered = Vec::new();
        for run in self.stored() {
            let Some(path) = runs::journal_in(&self.directory.join(run.as_str())) else { continue };
            if packed::is_packed(&path) {
                continue;
            }
            match Journal::resume(&path) {
                Ok((journal, header, entries)) if header.run == run => {
                    let is_over =
                        entries.last().is_none_or(|last| matches!(last.record, Record::Closed));
                    if !is_over {
                        let opened_at = entries.first().map_or(0, |entry| entry.at);
                        self.keep(run.clone(), journal, opened_at);
                        let records = entries.into_iter().map(|entry| entry.record).collect();
                        recovered.push((run, records));
                    }
                }
                Ok(_) => tracing::warn!("{} is the journal of another run", path.display()),
                Err(error) => tracing::warn!("{}", muletrain_proto::cli::chain(&error)),
            }
        }
        recovered
    }

    /// How far a run is.
    pub(crate) fn overview(&self, run: &Run) -> Overview {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Overview {
            run: run.id.clone(),
            project: run.snapshot.name.clone(),
            opened_at: self.open.get(&run.id).map_or(0, |open| open.opened_at),
            state: if run.stop.is_some() { State::Stopping } else { State::Running },
            tests: count(run.ledger.len()),
            settled: count(run.ledger.settled()),
            red: run.ledger.red(),
        }
    }

    /// Notes how a run ended, for the list of runs.
    pub(crate) fn note(&mut self, run: &Run) {
        let overview = self.overview(run);
        if let Some(open) = self.open.get_mut(&run.id) {
            open.overview = Some(overview);
        }
    }

    /// Runs that ended in this process's life, the oldest first.
    pub(crate) fn closed_overviews(&self) -> impl Iterator<Item = Overview> {
        self.closed.values().cloned()
    }
}

fn run_id(now: u64, attempt: u32) -> RunId {
    let at = i64::try_from(now).ok().and_then(|now| jiff::Timestamp::from_millisecond(now).ok());
    let time = at.unwrap_or_default().strftime("%Y%m%d-%H%M%S").to_string();
    let name = match attempt {
        0 => time,
        attempt => format!("{time}-{attempt}"),
    };
    RunId::new(name).expect("digits and dashes make a valid id")
}

fn count_lines(path: &Path) -> std::io::Result<u64> {
    let mut reader = packed::open(path)?;
    let mut lines = 0;
    while reader.skip_until(b'\n')? > 0 {
        lines += 1;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use muletrain_proto::run::Stop;

    use super::*;

    #[test]
    fn runs_of_one_second_get_names_of_their_own() {
        let directory = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::new(directory.path().to_owned());
        assert_eq!(shelf.create(0).unwrap().as_str(), "19700101-000000");
        assert_eq!(shelf.create(0).unwrap().as_str(), "19700101-000000-1");
    }

    #[test]
    fn only_runs_that_are_not_over_are_taken_up_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut shelf = Shelf::new(directory.path().to_owned());
        let (over, open) = (shelf.create(0).unwrap(), shelf.create(5_000).unwrap());
        let stopping = Record::Stopping { stop: Stop::Interrupted };
        shelf.append(&over, 1, [&stopping, &Record::Closed].into_iter()).unwrap();
        shelf.append(&open, 1, [&stopping].into_iter()).unwrap();

        let mut shelf = Shelf::new(directory.path().to_owned());
        assert_eq!(shelf.recover(), [(open.clone(), vec![stopping])]);
        assert_eq!(shelf.newest(), Some(open));
        let followed = shelf.follow(&over).unwrap();
        assert_eq!(*followed.written.borrow(), Written { lines: 3, closed: true });

        packed::pack(&followed.path).unwrap();
        let followed = shelf.follow(&over).unwrap();
        assert_eq!(*followed.written.borrow(), Written { lines: 3, closed: true });
        assert!(packed::is_packed(&followed.path));
        let mut shelf = Shelf::new(directory.path().to_owned());
        assert_eq!(shelf.recover().len(), 1);
    }
}
