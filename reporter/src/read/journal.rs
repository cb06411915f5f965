//! Journals of muletrain: whole, being written, or cut off.
//!
//! A thread reads lines and another folds them. What tests have to say, and lines that are very
//! long, are not held but read again where that is possible.

mod again;
mod batches;
mod long;
mod quick;

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use muletrain_proto::journal::{self, read_header};

use self::again::{Again, lossy};
use self::batches::{Batches, Item, Line};
use super::detect::JOURNAL;
use super::input::Input;
use super::lines::{self, next_line};
use super::source::Source;
use crate::pure::fold::Fold;
use crate::pure::text::plural;
use crate::pure::words::Lines;

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// Batches of lines that wait to be folded.
const AHEAD: usize = 4;

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

/// A journal that was read, and its lines, to be read again.
pub struct Stored {
    /// What it tells.
    pub fold: Fold,
    /// Its lines.
    pub lines: Box<dyn Lines + Send + Sync>,
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Stored").field("fold", &self.fold).finish_non_exhaustive()
    }
}

/// Folds a journal. What is damaged or cut off is said by the fold, and never green.
///
/// # Errors
/// When there is no journal to begin with.
pub fn read<R: Read + Send>(source: Source<R>) -> Result<Fold, Error> {
    Ok(read_lines(source, Again::Never)?.fold)
}

/// Folds the journal in a file, of which no more is held than its tests need.
///
/// # Errors
/// When there is no journal to begin with.
pub fn read_stored(input: &Input) -> Result<Stored, Error> {
    match input.plain()? {
        Some(file) => {
            let again = Again::File(Arc::new(file.try_clone()?));
            read_lines(BufReader::with_capacity(PIECE, file), again)
        }
        None => {
            // Without room for what is left out of memory, it stays there.
            let again = Again::spool().unwrap_or(Again::Never);
            read_lines(Source::new(input.bytes()?), again)
        }
    }
}

fn read_lines(mut reader: impl BufRead + Send, again: Again) -> Result<Stored, Error> {
    let mut fold = Fold::default();
    let mut start = 0;
    match next_line(&mut reader)? {
        lines::Line::CutOff(line)
            if JOURNAL.as_bytes().starts_with(&line) || line.starts_with(JOURNAL.as_bytes()) =>
        {
            fold.damaged("its first line was cut off".to_owned());
        }
        lines::Line::CutOff(line) => fold.header(read_header(&lossy(&line))?),
        lines::Line::Whole(line) => {
            start = line.len() as u64 + 1;
            fold.header(read_header(&lossy(&line))?);
        }
        lines::Line::TooLong | lines::Line::End => fold.header(read_header("")?),
    }
    let lines = read_entries(reader, start, again, &mut fold);
    Ok(Stored { fold, lines: Box::new(lines) })
}

/// Takes every entry that can be read; what cannot costs only itself, and is told.
fn read_entries(reader: impl Read + Send, start: u64, again: Again, fold: &mut Fold) -> Again {
    let (sender, receiver) = sync_channel::<Vec<Item>>(AHEAD);
    let mut bad = Bad::default();
    let mut batches = Batches::new(reader, start, again);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            // Whoever folds takes all of it.
            while let Some(batch) = batches.next() {
                if sender.send(batch).is_err() {
                    break;
                }
            }
            batches.into_again()
        });
        for batch in &receiver {
            batch.iter().for_each(|item| take(item, fold, &mut bad));
        }
        if let Some(first) = bad.first {
            fold.damaged(format!("{} cannot be read; {first}", plural(bad.number, "line")));
        }
        reading.join().unwrap_or(Again::Never)
    })
}

fn take(item: &Item, fold: &mut Fold, bad: &mut Bad) {
    let number = item.number;
    match &item.line {
        Line::Entry(entry, place) => drop(fold.apply_from(entry, *place)),
        Line::Long(lines, place) => {
            if let Err(error) = long::take(lines, *place, fold) {
                bad.add(format!("line {number}: {error}"));
            }
        }
        Line::Bad(error) => bad.add(format!("line {number}: {error}")),
        Line::TooLong => bad.add(format!("line {number} is too long")),
        Line::CutOff => fold.damaged("its last line was cut off".to_owned()),
        Line::Stopped(error) => {
            fold.damaged(format!("reading stopped at line {number}: {error}"));
        }
    }
}

/// Lines that cannot be read.
#[derive(Default)]
struct Bad {
    number: usize,
    first: Option<String>,
}

impl Bad {
    fn add(&mut self, what: String) {
        self.number += 1;
        self.first.get_or_insert(what);
    }
}
