//! Follows the journal of a run on this machine while it is written, to its last record.

use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::journal::{self, Record};
use muletrain_proto::runs;
use tokio::sync::mpsc::Sender;

use crate::follow::News;
use crate::read::input::Input;

/// How often it is looked for more.
const PAUSE: Duration = Duration::from_millis(100);

/// How often in a row nobody may be found writing before nobody is: a new journal is not locked at
/// once.
const LOOKS: u32 = 3;

/// Why a run cannot be followed, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such run.
    #[error(transparent)]
    Run(#[from] runs::Error),
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The journal.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of it is none.
    #[error("cannot read {}, line {line}", path.display())]
    Line {
        /// The journal.
        path: PathBuf,
        /// From 1.
        line: u64,
        /// Why.
        source: journal::Error,
    },
    /// Its writer has gone.
    #[error("nobody writes {} any more, and the run was not closed", path.display())]
    Abandoned {
        /// The journal.
        path: PathBuf,
    },
}

impl Error {
    /// What it comes to.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Run(_) => ExitCode::Usage,
            Self::File { .. } | Self::Line { .. } => ExitCode::Infrastructure,
            Self::Abandoned { .. } => ExitCode::Incomplete,
        }
    }
}

/// The journal of a run in a folder of runs: the newest, or the one that is named by its id, the
/// beginning of that, or its directory.
///
/// # Errors
/// When there is no such run, or several.
pub fn find(folder: &Path, name: Option<&str>) -> Result<PathBuf, Error> {
    if let Some(path) = name.and_then(|name| runs::journal_in(Path::new(name))) {
        return Ok(path);
    }
    Ok(runs::find(folder, name.unwrap_or(runs::LAST))?.1)
}

/// Sends what is in a journal and then what is added to it, until its last record, or until nobody
/// listens, or nobody writes any more.
pub async fn tail(journal: PathBuf, news: Sender<News>) {
    if let Err(error) = follow(&journal, &news).await {
        // Whoever listened may have gone.
        let _ = news.send(News::Lost(error.into())).await;
    }
}

async fn follow(path: &Path, news: &Sender<News>) -> Result<(), Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let input = Input::open(path).map_err(failed)?;
    let lock = File::open(path).map_err(failed)?;
    let mut lines = Lines::new(input.bytes().map_err(failed)?);
    let mut looks = 0;
    for number in 1.. {
        let line = loop {
            // Before it is read: what was written until then is seen.
            let held = is_held(&lock);
            if let Some(line) = lines.next().map_err(failed)? {
                break line;
            }
            looks = if held { 0 } else { looks + 1 };
            if looks == LOOKS {
                return Err(Error::Abandoned { path: path.to_owned() });
            }
            tokio::time::sleep(PAUSE).await;
        };
        let wrong = |source| Error::Line { path: path.to_owned(), line: number, source };
        let read = match number {
            1 => News::Header(journal::read_header(&line).map_err(wrong)?, line),
            _ => News::Entry(Box::new(journal::read_entry(&line).map_err(wrong)?), line),
        };
        let last = matches!(&read, News::Entry(entry, _) if entry.record == Record::Closed);
        if news.send(read).await.is_err() || last {
            break;
        }
    }
    Ok(())
}

/// Whether somebody writes a journal. What cannot be told is taken for a yes.
fn is_held(file: &File) -> bool {
    match file.try_lock_shared() {
        Ok(()) => file.unlock().is_err(),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
    }
}

/// Whole lines of a file that grows.
struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    begun: Vec<u8>,
}

impl Lines {
    fn new(inner: Box<dyn Read + Send>) -> Self {
        Self { reader: BufReader::new(inner), begun: Vec::new() }
    }

    /// The next line without its newline, once all of it is there.
    fn next(&mut self) -> io::Result<Option<String>> {
        self.reader.read_until(b'\n', &mut self.begun)?;
        if self.begun.pop_if(|last| *last == b'\n').is_none() {
            return Ok(None);
        }
        let line = std::mem::take(&mut self.begun);
        String::from_utf8(line).map(Some).map_err(io::Error::other)
    }
}
