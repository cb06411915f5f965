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
use crate::read::lines::LINE_LIMIT;

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
    /// Its first line is none of a journal.
    #[error("cannot read {}, line 1", path.display())]
    Header {
        /// The journal.
        path: PathBuf,
        /// Why.
        source: journal::Error,
    },
    /// Its first line is no line of a journal, by its length alone.
    #[error("cannot read {}, line 1 is too long", path.display())]
    Long {
        /// The journal.
        path: PathBuf,
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
            Self::File { .. } | Self::Header { .. } | Self::Long { .. } => ExitCode::Infrastructure,
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
    let mut lines = Lines::new(input.bytes().map_err(failed)?, LINE_LIMIT);
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
        let read = match number {
            1 => header(path, line)?,
            _ => entry(number, line),
        };
        let last = matches!(&read, News::Entry(entry, _) if entry.record == Record::Closed);
        if news.send(read).await.is_err() || last {
            break;
        }
    }
    Ok(())
}

fn header(path: &Path, line: Line) -> Result<News, Error> {
    let path = path.to_owned();
    match line {
        Line::TooLong => Err(Error::Long { path }),
        Line::Whole(line) => match journal::read_header(&line) {
            Ok(header) => Ok(News::Header(header, line)),
            Err(source) => Err(Error::Header { path, source }),
        },
    }
}

/// One that cannot be read costs only itself, as in a report.
fn entry(number: u64, line: Line) -> News {
    match line {
        Line::TooLong => News::Bad(format!("line {number} is too long")),
        Line::Whole(line) => match journal::read_entry(&line) {
            Ok(entry) => News::Entry(Box::new(entry), line),
            Err(error) => News::Bad(format!("line {number}: {error}")),
        },
    }
}

/// Whether somebody writes a journal. What cannot be told is taken for a yes.
fn is_held(file: &File) -> bool {
    match file.try_lock_shared() {
        Ok(()) => file.unlock().is_err(),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
    }
}

/// A line that is all there.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// It, without its newline.
    Whole(String),
    /// It was passed over.
    TooLong,
}

/// Whole lines of a file that grows.
struct Lines<R> {
    reader: BufReader<R>,
    limit: u64,
    begun: Vec<u8>,
    /// Whether the line that was begun is too long to be held.
    is_long: bool,
}

impl<R: Read> Lines<R> {
    fn new(inner: R, limit: u64) -> Self {
        Self { reader: BufReader::new(inner), limit, begun: Vec::new(), is_long: false }
    }

    /// The next line, once all of it is there.
    fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let room = self.limit.saturating_sub(self.begun.len() as u64);
            let read = self.reader.by_ref().take(room).read_until(b'\n', &mut self.begun)?;
            if self.begun.pop_if(|last| *last == b'\n').is_some() {
                let line = std::mem::take(&mut self.begun);
                return Ok(Some(match std::mem::take(&mut self.is_long) {
                    true => Line::TooLong,
                    false => Line::Whole(String::from_utf8_lossy(&line).into_owned()),
                }));
            }
            if read == 0 {
                return Ok(None);
            }
            if self.begun.len() as u64 >= self.limit {
                self.is_long = true;
                self.begun = Vec::new();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let text = format!("one\n{}\nt\u{fffd}wo\nopen", "x".repeat(1000));
        let mut lines = Lines::new(text.as_bytes(), 10);
        let all: Vec<Line> = std::iter::from_fn(|| lines.next().unwrap()).collect();
        let whole = |text: &str| Line::Whole(text.to_owned());
        assert_eq!(all, [whole("one"), Line::TooLong, whole("t\u{fffd}wo")]);
    }
}
