//! Lines of a journal in batches, each line made an entry.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};
use muletrain_proto::event::Event;
use muletrain_proto::journal::{Entry, Record};
use muletrain_proto::outcome::Output;

use super::again::{Again, lossy};
use super::{PIECE, quick};
use crate::pure::words::Place;
use crate::read::lines::LINE_LIMIT;

/// Bytes of a line beyond which it is not held, where it can be read again.
const LONG: usize = 2 << 20;

/// A line of a journal, with its number.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) number: u64,
    pub(super) line: Line,
}

/// What a line is.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all are entries")]
pub(super) enum Line {
    /// An entry, and where it can be read again if its test has something to say.
    Entry(Entry, Option<Place>),
    /// It is too long to be held; this is where it can be read.
    Long(Arc<File>, Place),
    /// It is no entry.
    Bad(String),
    /// It is too long.
    TooLong,
    /// It has no newline.
    CutOff,
    /// Nothing can be read from here on.
    Stopped(io::Error),
}

/// Reads a journal from its second line on.
pub(super) struct Batches<R> {
    reader: R,
    again: Again,
    /// What was read of lines that are not complete.
    held: Vec<u8>,
    /// Where that begins in the journal.
    start: u64,
    /// Number of the line that comes next.
    number: u64,
    ended: bool,
}

impl<R: Read> Batches<R> {
    pub(super) fn new(reader: R, start: u64, again: Again) -> Self {
        Self { reader, again, held: Vec::new(), start, number: 2, ended: false }
    }

    pub(super) fn into_again(self) -> Again {
        self.again
    }

    /// The next lines; none at the end.
    pub(super) fn next(&mut self) -> Option<Vec<Item>> {
        // Behind a long line there may be whole ones already.
        if let Some(end) = memrchr(b'\n', &self.held) {
            return Some(self.lines(end + 1));
        }
        while !self.ended {
            let before = self.held.len();
            match self.read() {
                Err(error) => return Some(vec![self.last(Line::Stopped(error))]),
                Ok(0) if self.held.is_empty() => self.ended = true,
                Ok(0) => return Some(vec![self.last(Line::CutOff)]),
                Ok(_) => {}
            }
            if let Some(end) = memrchr(b'\n', &self.held[before..]) {
                return Some(self.lines(before + end + 1));
            }
            let is_long = self.held.len() > LONG && self.again.file().is_some();
            if is_long || self.held.len() as u64 > LINE_LIMIT {
                return Some(vec![self.long()]);
            }
        }
        None
    }

    /// Reads a further piece.
    fn read(&mut self) -> io::Result<usize> {
        let before = self.held.len();
        self.held.resize(before + PIECE, 0);
        let read = loop {
            match self.reader.read(&mut self.held[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.held.truncate(before + *read.as_ref().unwrap_or(&0));
        read
    }

    fn last(&mut self, line: Line) -> Item {
        self.ended = true;
        Item { number: self.number, line }
    }

    /// Takes whole lines up to there.
    fn lines(&mut self, end: usize) -> Vec<Item> {
        let held = std::mem::take(&mut self.held);
        let mut items = Vec::with_capacity(end / 128);
        let mut start = self.start;
        let mut begin = 0;
        for newline in memchr_iter(b'\n', &held[..end]) {
            let text = &held[begin..newline];
            items.push(Item { number: self.number, line: self.line(text, start) });
            self.number += 1;
            start += text.len() as u64 + 1;
            begin = newline + 1;
        }
        self.start = start;
        self.held = held;
        self.held.drain(..end);
        items
    }

    fn line(&mut self, bytes: &[u8], start: u64) -> Line {
        let entry = match std::str::from_utf8(bytes) {
            Ok(line) => quick::entry(line),
            Err(_) => quick::entry(&lossy(bytes)),
        };
        match entry {
            Ok(entry) => {
                let place = tells(&entry).then(|| self.again.keep(bytes, start)).flatten();
                Line::Entry(entry, place)
            }
            Err(error) => Line::Bad(error.to_string()),
        }
    }

    /// A line that is not held: looks for its end.
    fn long(&mut self) -> Item {
        let (number, start) = (self.number, self.start);
        self.number += 1;
        let (mut length, mut kept, mut spooled) = (0, Ok(()), None);
        let line = loop {
            let end = memchr(b'\n', &self.held);
            let piece = &self.held[..end.unwrap_or(self.held.len())];
            length += piece.len() as u64;
            if kept.is_ok() && length <= LINE_LIMIT {
                kept = self.again.append(piece).map(|start| {
                    spooled.get_or_insert(start);
                });
            }
            if let Some(end) = end {
                self.start = start + length + 1;
                self.held.drain(..=end);
                break self.found(start, length, spooled, kept);
            }
            self.held = Vec::new();
            match self.read() {
                Ok(0) if length > LINE_LIMIT => return self.last(Line::TooLong),
                Ok(0) => return self.last(Line::CutOff),
                Ok(_) => {}
                Err(error) => return self.last(Line::Stopped(error)),
            }
        };
        Item { number, line }
    }

    fn found(&self, start: u64, length: u64, spooled: Option<u64>, kept: io::Result<()>) -> Line {
        let start = match self.again {
            Again::Spool(..) => spooled.unwrap_or_default(),
            Again::File(_) | Again::Never => start,
        };
        match (self.again.file(), u32::try_from(length), kept) {
            _ if length > LINE_LIMIT => Line::TooLong,
            (_, _, Err(error)) => Line::Bad(format!("it is long and cannot be kept: {error}")),
            (Some(file), Ok(length), Ok(())) => Line::Long(file, Place { start, length }),
            _ => Line::TooLong,
        }
    }
}

/// Whether a test has something to say that is better left where it is.
fn tells(entry: &Entry) -> bool {
    match &entry.record {
        Record::Observed { event: Event::Finished(finished), .. } => {
            !finished.failures.is_empty() || finished.output != Output::default()
        }
        _ => false,
    }
}
