//! Journals of muletrain: whole, being written, or cut off.

use std::io::{self, BufRead, Read};

use muletrain_proto::journal::{self, read_entry, read_header};

use super::source::Source;
use crate::pure::fold::Fold;
use crate::pure::text::plural;
use crate::read::detect::JOURNAL;

/// Longest line that is read, in bytes. A line may hold the whole inventory of a run.
const LINE_LIMIT: u64 = 256 << 20;

/// Why a file is no journal that can be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its first line is none of a journal.
    #[error("its first line is not that of a journal this build reads")]
    Header(#[from] journal::Error),
    /// It cannot be read.
    #[error("cannot read its first line")]
    Read(#[from] io::Error),
}

/// Folds a journal. What is damaged or cut off is said by the fold, and never green.
///
/// # Errors
/// When there is no journal to begin with.
pub fn read<R: Read>(mut source: Source<R>) -> Result<Fold, Error> {
    let mut fold = Fold::default();
    match next_line(&mut source)? {
        Line::CutOff(line)
            if JOURNAL.as_bytes().starts_with(&line) || line.starts_with(JOURNAL.as_bytes()) =>
        {
            fold.damaged("its first line was cut off".to_owned());
        }
        Line::Whole(line) | Line::CutOff(line) => fold.header(read_header(text(&line))?),
        Line::TooLong | Line::End => fold.header(read_header("")?),
    }
    read_entries(&mut source, &mut fold);
    Ok(fold)
}

/// Takes every entry that can be read; what cannot costs only itself, and is told.
fn read_entries(reader: &mut impl BufRead, fold: &mut Fold) {
    let mut bad = Vec::new();
    for number in 2_u64.. {
        match next_line(reader) {
            Ok(Line::End) => break,
            Ok(Line::Whole(line)) => match read_entry(text(&line)) {
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

/// Bytes as text; what is not UTF-8 is left to the JSON reader to refuse.
fn text(line: &[u8]) -> &str {
    std::str::from_utf8(line).unwrap_or("\u{fffd}")
}

/// A line, without its newline.
#[derive(Debug)]
pub enum Line {
    /// All of it.
    Whole(Vec<u8>),
    /// It has no newline: its writer was stopped, or is still at it.
    CutOff(Vec<u8>),
    /// It was passed over.
    TooLong,
    /// There is none.
    End,
}

/// Takes the next line.
///
/// # Errors
/// When reading fails.
pub fn next_line(reader: &mut impl BufRead) -> io::Result<Line> {
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
