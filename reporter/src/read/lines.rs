//! Lines of a file, within a limit.

use std::io::{self, BufRead, Read};

/// Longest line that is read, in bytes. One line of a journal may hold the inventory of a run.
pub const LINE_LIMIT: u64 = 256 << 20;

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

/// Takes the next line of a journal.
///
/// # Errors
/// When reading fails.
pub fn next_line(reader: &mut impl BufRead) -> io::Result<Line> {
    next_within(LINE_LIMIT, reader)
}

/// Takes the next line, of at most so many bytes.
///
/// # Errors
/// When reading fails.
pub fn next_within(limit: u64, reader: &mut impl BufRead) -> io::Result<Line> {
    let mut line = Vec::new();
    let read = reader.by_ref().take(limit).read_until(b'\n', &mut line)?;
    if line.pop_if(|last| *last == b'\n').is_some() {
        return Ok(Line::Whole(line));
    }
    match read as u64 {
        0 => Ok(Line::End),
        read if read == limit => {
            drop(line);
            reader.skip_until(b'\n')?;
            Ok(Line::TooLong)
        }
        _ => Ok(Line::CutOff(line)),
    }
}
