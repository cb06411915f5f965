//! A file as text: decoded to UTF-8 whatever it was, piece by piece, with a bound on what a reader
//! may ask to be held at once.

use std::io::{self, BufRead, Read};

use encoding_rs::{CoderResult, Decoder, Encoding};

use super::detect::{self, WINDOW};

/// Bytes decoded at once.
const PIECE: usize = 128 << 10;

/// Decoded text. Each piece ends where a character does.
pub struct Source<R> {
    inner: R,
    decoder: Decoder,
    /// The encoding, and whether it is another one than the file says.
    pub encoding: (&'static Encoding, bool),
    /// Whether something was no text in that encoding.
    pub replaced: bool,
    /// Bytes of text taken.
    pub taken: u64,
    raw: Vec<u8>,
    raw_at: usize,
    /// Decoded text is from `at` to `end`; the rest is room.
    text: Vec<u8>,
    at: usize,
    end: usize,
    ended: bool,
    failed: Option<io::Error>,
    /// Bytes that may be taken before the next mark.
    allowance: u64,
    left: u64,
}

impl<R: Read> Source<R> {
    /// The text of these bytes. What cannot be read is told once what comes before has been taken.
    pub fn new(mut inner: R) -> Self {
        let mut raw = vec![0; WINDOW];
        let failed = fill(&mut inner, &mut raw);
        let encoding = detect::encoding(&raw);
        let decoder = encoding.0.new_decoder_with_bom_removal();
        Self {
            inner,
            decoder,
            encoding,
            replaced: false,
            taken: 0,
            raw,
            raw_at: 0,
            text: Vec::new(),
            at: 0,
            end: 0,
            ended: false,
            failed,
            allowance: u64::MAX,
            left: u64::MAX,
        }
    }

    /// From now on, no more than this is given between two marks: who holds what it gets until it
    /// is complete is stopped in time.
    pub fn limit(&mut self, allowance: u64) {
        self.allowance = allowance;
        self.left = allowance;
    }

    /// What came before is not held any more.
    pub fn mark(&mut self) {
        self.left = self.allowance;
    }

    /// The first piece of the text, without taking it.
    pub fn peek(&mut self) -> &str {
        if self.at == self.end {
            self.refill();
        }
        std::str::from_utf8(&self.text[self.at..self.end]).unwrap_or_default()
    }

    /// The text that follows, at least this many bytes of it, unless it ends before.
    ///
    /// # Errors
    /// When reading fails before there is anything to give.
    pub fn ahead(&mut self, bytes: usize) -> io::Result<&[u8]> {
        while self.end - self.at < bytes && !self.ended {
            self.refill();
        }
        match self.failed.take_if(|_| self.at == self.end) {
            Some(error) => Err(error),
            None => Ok(&self.text[self.at..self.end]),
        }
    }

    /// Decodes a further piece; at the end, or at a fault, there is none.
    fn refill(&mut self) {
        self.text.copy_within(self.at..self.end, 0);
        self.end -= self.at;
        self.at = 0;
        let before = self.end;
        while self.end == before && !self.ended {
            if self.raw_at == self.raw.len() {
                self.raw.resize(PIECE, 0);
                self.raw_at = 0;
                match self.failed {
                    None => self.failed = fill(&mut self.inner, &mut self.raw),
                    Some(_) => self.raw.clear(),
                }
            }
            self.decode();
        }
    }

    fn decode(&mut self) {
        let raw = &self.raw[self.raw_at..];
        let last = raw.is_empty();
        // No character of any encoding grows more than threefold.
        let room = self.end + 3 * raw.len() + 16;
        if self.text.len() < room {
            self.text.resize(room, 0);
        }
        let (result, read, written, replaced) =
            self.decoder.decode_to_utf8(raw, &mut self.text[self.end..], last);
        self.replaced |= replaced;
        self.raw_at += read;
        self.end += written;
        self.ended = last && result == CoderResult::InputEmpty;
    }
}

/// Fills a buffer as far as it goes and cuts it there; gives back what ended it early.
fn fill(reader: &mut impl Read, buffer: &mut Vec<u8>) -> Option<io::Error> {
    let mut length = 0;
    let mut failed = None;
    while length < buffer.len() && failed.is_none() {
        match reader.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => failed = Some(error),
        }
    }
    buffer.truncate(length);
    failed
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        self.consume(length);
        Ok(length)
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            let limit = self.allowance >> 20;
            return Err(io::Error::other(format!("one piece of it is larger than {limit} MiB")));
        }
        self.ahead(1)
    }

    fn consume(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.end);
        self.taken += bytes as u64;
        self.left = self.left.saturating_sub(bytes as u64);
    }
}

impl<R> std::fmt::Debug for Source<R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Source").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}
