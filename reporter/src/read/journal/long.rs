//! Lines that hold the inventory of a large project: its classes are taken one at a time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::sync_channel;

use muletrain_proto::event::Event;
use muletrain_proto::inventory::Class;
use muletrain_proto::journal::{Entry, Error, Record, read_entry};
use serde_json::Deserializer;

use super::again::{lossy, whole};
use crate::pure::catalog::Source;
use crate::pure::fold::Fold;
use crate::pure::words::Place;

/// What stands before the classes.
const BEFORE: &[u8] = b"\"inventory\":{\"classes\":[";

/// Where that is looked for, in bytes from the start of the line.
const HEAD: usize = 4096;

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// Classes that wait to be taken.
const AHEAD: usize = 16;

/// Longest class that is read one at a time, in bytes.
const CLASS_LIMIT: usize = 16 << 20;

/// Takes the entry on a long line. Its classes are read twice: nothing of a line is taken that is
/// not right to its end.
pub(super) fn take(file: &File, place: Place, fold: &mut Fold) -> Result<(), String> {
    let line = LongLine { file, place };
    match line.without_classes(|_| {}) {
        Ok(Some((entry, tests))) => {
            line.apply(&entry, tests, fold).map_err(|error| error.to_string())
        }
        // It is not written as expected, or wrong: whoever reads anything decides.
        Ok(None) => {
            let text = whole(file, place).map_err(|error| error.to_string())?;
            let entry = read_entry(&text).map_err(|error: Error| error.to_string())?;
            fold.apply(&entry);
            Ok(())
        }
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

struct LongLine<'a> {
    file: &'a File,
    place: Place,
}

impl LongLine<'_> {
    fn apply(&self, entry: &Entry, tests: u32, fold: &mut Fold) -> io::Result<()> {
        if entry.number < fold.next() {
            return Ok(());
        }
        let source = match &entry.record {
            Record::Inventory { .. } => Some(Source::Inventory),
            Record::Observed { event: Event::Planned(_), .. } => Some(Source::Planned),
            Record::Observed { event: Event::Found(_), .. } => Some(Source::Inventory),
            _ => None,
        };
        if let Some(source) = source {
            self.each_class(|class| fold.catalog.extend_class(class, source))?;
        }
        fold.apply(entry);
        if let Record::Observed { lease, event: Event::Planned(_), .. } = &entry.record {
            fold.planned(*lease, tests);
        }
        Ok(())
    }

    /// Takes each class while a thread reads the next ones.
    fn each_class(&self, mut take: impl FnMut(&Class)) -> io::Result<()> {
        let (sender, classes) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                // Whoever takes them takes all.
                self.without_classes(|class| drop(sender.send(class))).map(drop)
            });
            classes.iter().for_each(|class| take(&class));
            reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// The entry as if there were no classes, after giving each of them; and the number of their
    /// tests. None where the line is not written as expected.
    fn without_classes(&self, mut give: impl FnMut(Class)) -> io::Result<Option<(Entry, u32)>> {
        let mut window = Window { line: self, held: Vec::new(), at: 0, read: 0 };
        window.fill(HEAD)?;
        let head = &window.held[..window.held.len().min(HEAD)];
        let Some(found) = head.windows(BEFORE.len()).position(|bytes| bytes == BEFORE) else {
            return Ok(None);
        };
        let mut skeleton = window.held[..found + BEFORE.len()].to_vec();
        window.at = skeleton.len();
        let mut tests = 0_usize;
        while let Some(class) = window.class()? {
            tests += class.tests.len();
            give(class);
            match window.byte(0)? {
                Some(b',') if window.byte(1)? == Some(b'{') => window.at += 1,
                _ => break,
            }
        }
        if window.byte(0)? != Some(b']') {
            return Ok(None);
        }
        window.fill(usize::MAX)?;
        skeleton.extend_from_slice(&window.held[window.at..]);
        let entry = read_entry(&lossy(&skeleton)).ok();
        Ok(entry.map(|entry| (entry, u32::try_from(tests).unwrap_or(u32::MAX))))
    }
}

/// A piece of a long line.
struct Window<'a> {
    line: &'a LongLine<'a>,
    held: Vec<u8>,
    /// What comes next in it.
    at: usize,
    /// Bytes of the line that were read.
    read: u64,
}

impl Window<'_> {
    /// Reads on until so many bytes are ahead, or to the end of the line.
    fn fill(&mut self, ahead: usize) -> io::Result<()> {
        let length = u64::from(self.line.place.length);
        while self.held.len() - self.at < ahead && self.read < length {
            if self.at > PIECE {
                self.held.drain(..self.at);
                self.at = 0;
            }
            let before = self.held.len();
            let piece = usize::try_from(length - self.read).unwrap_or(PIECE).min(PIECE);
            self.held.resize(before + piece, 0);
            let start = self.line.place.start + self.read;
            self.line.file.read_exact_at(&mut self.held[before..], start)?;
            self.read += piece as u64;
        }
        Ok(())
    }

    fn byte(&mut self, ahead: usize) -> io::Result<Option<u8>> {
        self.fill(ahead + 1)?;
        Ok(self.held.get(self.at + ahead).copied())
    }

    /// Takes the class that comes next; none where there is none, or something is wrong with it.
    fn class(&mut self) -> io::Result<Option<Class>> {
        if self.byte(0)? != Some(b'{') {
            return Ok(None);
        }
        loop {
            let ahead = &self.held[self.at..];
            let held = ahead.len();
            let mut classes = Deserializer::from_slice(ahead).into_iter::<Class>();
            match classes.next() {
                Some(Ok(class)) => {
                    self.at += classes.byte_offset();
                    return Ok(Some(class));
                }
                // It goes on in the next piece.
                Some(Err(error)) if error.is_eof() && held < CLASS_LIMIT => self.fill(held + 1)?,
                _ => return Ok(None),
            }
            if self.held.len() - self.at == held {
                return Ok(None);
            }
        }
    }
}
