//! Stored runs: reads what can be read, and says what cannot.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::journal;

use crate::pure::fold::Fold;
use crate::pure::summary::Summary;
use crate::pure::text::plural;

/// Longest line of a journal that is read, in bytes.
const LINE_LIMIT: u64 = 64 << 20;

/// Start of every journal.
const MAGIC: &str = "{\"muletrain_journal\":";

/// Why a result cannot be reported at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there, or not for us.
    #[error("failed to read {path}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("{path} is empty; name a run's directory or its {}", journal::FILE_NAME)]
    Empty {
        /// Where.
        path: PathBuf,
    },
    /// Another tool's result.
    #[error("{path} is XML; JUnit XML cannot be read yet, only journals of muletrain")]
    Xml {
        /// Where.
        path: PathBuf,
    },
    /// Something else.
    #[error("{path} is no journal of muletrain")]
    Foreign {
        /// Where.
        path: PathBuf,
        /// What is wrong with its first line, unless that is its length.
        source: Option<journal::Error>,
    },
}

impl Error {
    /// What it comes to.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

/// A stored run.
#[derive(Debug)]
pub struct Stored {
    /// What it came to.
    pub summary: Summary,
    /// The directory that holds it, if one does.
    pub directory: Option<PathBuf>,
}

/// Reads a run's directory, a journal, or, for `-`, a journal on standard input.
///
/// # Errors
/// When there is no journal to begin with. One that is damaged or cut off is no error: its summary
/// says so and is never green.
pub fn read(path: &Path) -> Result<Stored, Error> {
    if path == Path::new("-") {
        let summary = read_journal(std::io::stdin().lock(), path)?;
        return Ok(Stored { summary, directory: None });
    }
    let directory = path.is_dir();
    let file = if directory { path.join(journal::FILE_NAME) } else { path.to_owned() };
    let reader = File::open(&file).map_err(|source| Error::Read { path: file.clone(), source })?;
    let summary = read_journal(BufReader::new(reader), &file)?;
    let named = file.file_name().is_some_and(|name| name == journal::FILE_NAME);
    let parent = file.parent().filter(|_| named).map(Path::to_owned);
    Ok(Stored { summary, directory: parent })
}

/// Reads a journal; `path` is what errors call it.
///
/// # Errors
/// When it is none. Damage further on is part of the summary.
pub fn read_journal(mut reader: impl BufRead, path: &Path) -> Result<Summary, Error> {
    let mut fold = Fold::default();
    let failed = |source| Error::Read { path: path.to_owned(), source };
    match next_line(&mut reader).map_err(failed)? {
        Line::End => return Err(Error::Empty { path: path.to_owned() }),
        Line::CutOff(line) if is_start_of_journal(&line) => {
            fold.damaged("its first line was cut off".to_owned());
        }
        Line::Whole(line) | Line::CutOff(line) => {
            let header = journal::read_header(text(&line));
            fold.header(header.map_err(|source| foreign(&line, path, source))?);
        }
        Line::TooLong => return Err(Error::Foreign { path: path.to_owned(), source: None }),
    }
    read_entries(&mut reader, &mut fold);
    Ok(fold.finish())
}

/// Takes every entry that can be read; what cannot costs only itself, and is told.
fn read_entries(reader: &mut impl BufRead, fold: &mut Fold) {
    let mut bad = Vec::new();
    for number in 2_u64.. {
        match next_line(reader) {
            Ok(Line::End) => break,
            Ok(Line::Whole(line)) => match journal::read_entry(text(&line)) {
                Ok(entry) => {
                    fold.apply(&entry);
                }
                Err(error) => bad.push(format!("line {number}: {error}")),
            },
            Ok(Line::CutOff(_)) => fold.damaged("its last line was cut off".to_owned()),
            Ok(Line::TooLong) => bad.push(format!("line {number} is too long")),
            Err(error) => {
                fold.damaged(format!("reading stopped at line {number}: {error}"));
                break;
            }
        }
    }
    if let Some(first) = bad.first() {
        fold.damaged(format!("{} cannot be read; {first}", plural(bad.len(), "line")));
    }
}

fn foreign(line: &[u8], path: &Path, source: journal::Error) -> Error {
    let path = path.to_owned();
    let start = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii_start();
    match start.starts_with(b"<") {
        true => Error::Xml { path },
        false => Error::Foreign { path, source: Some(source) },
    }
}

/// Bytes as text; what is not UTF-8 is left to the JSON reader to refuse.
fn text(line: &[u8]) -> &str {
    std::str::from_utf8(line).unwrap_or("\u{fffd}")
}

fn is_start_of_journal(line: &[u8]) -> bool {
    let magic = MAGIC.as_bytes();
    magic.starts_with(line) || line.starts_with(magic)
}

/// A line, without its newline.
enum Line {
    Whole(Vec<u8>),
    CutOff(Vec<u8>),
    TooLong,
    End,
}

fn next_line(reader: &mut impl BufRead) -> std::io::Result<Line> {
    let mut line = Vec::new();
    let read = reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line)?;
    if line.pop_if(|last| *last == b'\n').is_some() {
        return Ok(Line::Whole(line));
    }
    match read as u64 {
        0 => Ok(Line::End),
        LINE_LIMIT => {
            drop(line);
            reader.skip_until(b'\n')?;
            Ok(Line::TooLong)
        }
        _ => Ok(Line::CutOff(line)),
    }
}
