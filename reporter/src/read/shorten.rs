//! JSON on its way to a parser, which holds every string whole: of one of any length only the
//! beginning and the end are passed on, with a note on what is missing. Nothing else is changed.

use std::io::{self, BufRead, Read};

use memchr::memchr3;

/// Longest string that is passed on, in bytes as they are written.
pub const STRING: usize = 1 << 20;

/// Bytes kept of each end of a longer one.
const END: usize = STRING / 2 - 64;

/// Depth of a document. Parsers give up a little later.
const DEPTH: usize = 100;

/// Longest number.
const NUMBER: usize = 4096;

/// Bytes that are looked at in one go, so that it is known about where something is wrong.
const PIECE: usize = 512;

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// One document. One that is nested too deep, or has a number that is too long, ends there.
    Document,
    /// A document in each line: with a line, all that was open in it ends.
    Lines,
}

/// Shortens strings.
pub struct Shorten<R> {
    inner: R,
    kind: Text,
    out: Vec<u8>,
    at: usize,
    /// The string that is open.
    string: Option<Open>,
    depth: usize,
    number: usize,
    ended: bool,
    failed: Option<io::Error>,
    /// Strings that were shortened.
    pub shortened: u64,
}

#[derive(Default)]
struct Open {
    held: Vec<u8>,
    /// Whether its beginning was passed on.
    is_cut: bool,
    omitted: usize,
    /// Whether the next byte is escaped.
    escaped: bool,
}

impl<R: BufRead> Shorten<R> {
    /// What is read from `inner`, shortened.
    pub fn new(inner: R, kind: Text) -> Self {
        Self {
            inner,
            kind,
            out: Vec::new(),
            at: 0,
            string: None,
            depth: 0,
            number: 0,
            ended: false,
            failed: None,
            shortened: 0,
        }
    }

    /// Where it comes from.
    pub fn inner(&self) -> &R {
        &self.inner
    }

    fn refill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.at = 0;
        while self.out.is_empty() && !self.ended {
            if let Some(error) = self.failed.take() {
                self.ended = true;
                return Err(error);
            }
            let ahead = self.inner.fill_buf()?;
            let piece = ahead[..ahead.len().min(PIECE)].to_vec();
            self.inner.consume(piece.len());
            if piece.is_empty() {
                self.ended = true;
                // A string without an end stays without one.
                self.end_string();
            }
            self.take(&piece);
        }
        Ok(())
    }

    fn take(&mut self, mut piece: &[u8]) {
        while self.failed.is_none() && !piece.is_empty() {
            let taken = match &mut self.string {
                Some(_) => self.inside(piece),
                None => self.outside(piece),
            };
            piece = &piece[taken..];
        }
    }

    /// Takes bytes outside of strings; gives back how many.
    fn outside(&mut self, piece: &[u8]) -> usize {
        for (index, byte) in piece.iter().enumerate() {
            self.number = match byte {
                b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' => self.number + 1,
                _ => 0,
            };
            match byte {
                b'"' => {
                    self.out.extend_from_slice(&piece[..=index]);
                    self.string = Some(Open::default());
                    return index + 1;
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if self.kind == Text::Document && (self.depth > DEPTH || self.number > NUMBER) {
                let why = match self.depth > DEPTH {
                    true => format!("it is nested more than {DEPTH} deep"),
                    false => format!("a number in it has more than {NUMBER} digits"),
                };
                self.failed = Some(io::Error::other(why));
                self.out.extend_from_slice(&piece[..index]);
                return piece.len();
            }
        }
        self.out.extend_from_slice(piece);
        piece.len()
    }

    /// Takes bytes of a string and what ends it; gives back how many.
    fn inside(&mut self, piece: &[u8]) -> usize {
        let Some(open) = &mut self.string else { return 0 };
        if open.escaped && piece[0] != b'\n' {
            open.escaped = false;
            open.held.push(piece[0]);
            return 1;
        }
        let special = memchr3(b'"', b'\\', b'\n', piece);
        let plain = special.unwrap_or(piece.len());
        open.held.extend_from_slice(&piece[..plain]);
        if open.held.len() > 2 * STRING {
            open.leave_out(&mut self.out);
        }
        match special.map(|at| piece[at]) {
            None => return plain,
            Some(b'\\') => {
                open.held.push(b'\\');
                open.escaped = true;
            }
            Some(b'\n') if self.kind == Text::Document => open.held.push(b'\n'),
            Some(end) => {
                self.end_string();
                self.out.push(end);
            }
        }
        plain + 1
    }

    fn end_string(&mut self) {
        let Some(mut open) = self.string.take() else { return };
        if open.is_cut || open.held.len() > STRING {
            open.leave_out(&mut self.out);
            let note = format!("\\n[{} bytes omitted from the middle]\\n", open.omitted);
            self.out.extend_from_slice(note.as_bytes());
            self.shortened += 1;
        }
        self.out.extend_from_slice(&open.held);
    }
}

impl Open {
    /// Passes the beginning on, and keeps no more than the end.
    fn leave_out(&mut self, out: &mut Vec<u8>) {
        let mut at = 0;
        if !self.is_cut {
            self.is_cut = true;
            while at < END {
                at += unit(&self.held[at..]).0;
            }
            out.extend_from_slice(&self.held[..at]);
        }
        while self.held.len() > END + at {
            let (length, meant) = unit(&self.held[at..]);
            at += length;
            self.omitted += meant;
        }
        self.held.drain(..at.min(self.held.len()));
    }
}

/// The bytes of the character that a text begins with, as it is written and as it is meant.
fn unit(text: &[u8]) -> (usize, usize) {
    let code = |at: usize| {
        let digits = text.get(at..at + 6).filter(|escape| escape.starts_with(b"\\u"))?;
        u32::from_str_radix(std::str::from_utf8(&digits[2..]).ok()?, 16).ok()
    };
    match text {
        [b'\\', b'u', ..] => match (code(0), code(6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => (12, 4),
            (Some(code), _) => (6, char::from_u32(code).map_or(3, char::len_utf8)),
            (None, _) => (2, 1),
        },
        [b'\\', ..] => (2, 1),
        _ => {
            let more = text.iter().skip(1).take_while(|byte| *byte & 0xc0 == 0x80).count();
            (1 + more, 1 + more)
        }
    }
}

impl<R: BufRead> Read for Shorten<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.out.len() {
            self.refill()?;
        }
        let length = buffer.len().min(self.out.len() - self.at);
        buffer[..length].copy_from_slice(&self.out[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

impl<R> std::fmt::Debug for Shorten<R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shorten").field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortened(text: &str, kind: Text) -> io::Result<String> {
        let mut out = String::new();
        Shorten::new(text.as_bytes(), kind).read_to_string(&mut out).map(|_| out)
    }

    #[test]
    fn a_long_string_keeps_its_ends_and_what_follows_is_untouched() {
        for middle in ["x", "ä", "\\n", "\\\"", "\\u00e4", "\\ud83d\\ude00", "\\\\"] {
            let long = middle.repeat(3 * STRING / middle.len());
            let text = format!("{{\"a\": \"head {long} tail\", \"b\": [1, \"two\"]}}");
            let meant: serde_json::Value = serde_json::from_str(&text).unwrap();
            let short = shortened(&text, Text::Document).unwrap();
            let read: serde_json::Value = serde_json::from_str(&short).unwrap();
            let kept = read["a"].as_str().unwrap();
            assert!(kept.len() <= STRING && kept.starts_with("head ") && kept.ends_with(" tail"));
            let omitted = kept.split('[').next_back().unwrap().split(' ').next().unwrap();
            let note = format!("\n[{omitted} bytes omitted from the middle]\n");
            let omitted: usize = omitted.parse().unwrap();
            assert_eq!(kept.len() - note.len() + omitted, meant["a"].as_str().unwrap().len());
            assert_eq!(read["b"], meant["b"]);
        }
    }

    #[test]
    fn what_is_short_is_passed_on_as_it_is_broken_or_not() {
        for text in ["", "{", "\"no end", "\"\\", "[\"a\\\"b\", 1e5]\n{}", "\"a\nb\" [[", "\\\"x"] {
            for kind in [Text::Document, Text::Lines] {
                assert_eq!(shortened(text, kind).unwrap(), text);
            }
        }
    }

    #[test]
    fn a_line_ends_whatever_is_open_in_it() {
        let long = "x".repeat(2 * STRING);
        let out = shortened(&format!("{{\"a\n[\"{long}\"]\n"), Text::Lines).unwrap();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!((lines.len(), lines[0]), (2, "{\"a"));
        assert!(lines[1].len() <= STRING + 4);
    }

    #[test]
    fn depth_and_digits_have_limits() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(shortened(&deep(DEPTH), Text::Document).is_ok());
        let error = shortened(&deep(DEPTH + 1), Text::Document).unwrap_err();
        assert_eq!(error.to_string(), "it is nested more than 100 deep");
        let error = shortened(&"1".repeat(NUMBER + 1), Text::Document).unwrap_err();
        assert_eq!(error.to_string(), "a number in it has more than 4096 digits");
    }
}
