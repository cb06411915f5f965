//! Text between tags, of any length, without ever holding more of it than is kept.

use std::io::{self, BufRead, Read};

use quick_xml::reader::BinaryStream;

use super::build::Builder;
use super::notes::Notes;
use crate::pure::junit::clip::Clip;
use crate::pure::junit::markup::{LONGEST_REFERENCE, reference};
use crate::read::source::Source;

const CDATA: &[u8] = b"<![CDATA[";

type Stream<'r, R> = BinaryStream<'r, Source<R>>;

/// Takes everything up to the next tag, and leaves that to be read.
pub(super) fn take<R: Read>(
    stream: &mut Stream<'_, R>,
    builder: &mut Builder,
    notes: &mut Notes,
) -> io::Result<()> {
    let mut text = Text { clip: builder.text(), after_return: false };
    loop {
        stream.get_mut().mark();
        let ahead = stream.get_mut().ahead(LONGEST_REFERENCE)?;
        let special = ahead.iter().position(|byte| matches!(byte, b'<' | b'&'));
        let length = match (special, ahead.first()) {
            (_, None) => return Ok(()),
            (Some(0), Some(b'&')) => text.reference(ahead, notes),
            (Some(0), _) if ahead.starts_with(CDATA) => {
                stream.consume(CDATA.len());
                section(stream, &mut text)?;
                continue;
            }
            (Some(0), _) => return Ok(()),
            (special, _) => {
                let length = special.unwrap_or(ahead.len());
                text.push(&ahead[..length]);
                length
            }
        };
        stream.consume(length);
    }
}

/// The rest of a section in which nothing is markup.
fn section<R: Read>(stream: &mut Stream<'_, R>, text: &mut Text<'_>) -> io::Result<()> {
    const END: &[u8] = b"]]>";
    loop {
        stream.get_mut().mark();
        let ahead = stream.get_mut().ahead(END.len())?;
        let end = ahead.windows(END.len()).position(|window| window == END);
        // Its end may begin here and go on in the next piece.
        let brackets = ahead.iter().rev().take(END.len() - 1).take_while(|byte| **byte == b']');
        let open = ahead.len() - brackets.count();
        let length = end.unwrap_or(if ahead.len() < END.len() { ahead.len() } else { open });
        text.push(&ahead[..length]);
        let over = end.is_some() || ahead.is_empty();
        stream.consume(length + if end.is_some() { END.len() } else { 0 });
        if over {
            return Ok(());
        }
    }
}

/// Where text goes, with the ends of lines made the same.
struct Text<'a> {
    clip: Option<&'a mut Clip>,
    after_return: bool,
}

impl Text<'_> {
    fn push(&mut self, bytes: &[u8]) {
        let Some(clip) = &mut self.clip else { return };
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let text = match self.after_return {
            true => text.strip_prefix('\n').unwrap_or(text),
            false => text,
        };
        self.after_return = bytes.ends_with(b"\r");
        match text.contains('\r') {
            true => clip.push(&text.replace("\r\n", "\n").replace('\r', "\n")),
            false => clip.push(text),
        }
    }

    /// A reference at the start of what comes, or an ampersand that is none; gives back its length.
    fn reference(&mut self, ahead: &[u8], notes: &mut Notes) -> usize {
        let ahead = &ahead[1..ahead.len().min(LONGEST_REFERENCE)];
        let end = ahead.iter().position(|byte| matches!(byte, b';' | b'<' | b'&'));
        let name = end.filter(|end| ahead[*end] == b';');
        let name = name.and_then(|end| std::str::from_utf8(&ahead[..end]).ok());
        self.after_return = false;
        match name.and_then(|name| Some((name, reference(name)?))) {
            Some((name, character)) => {
                if let Some(clip) = &mut self.clip {
                    clip.push_char(character);
                }
                name.len() + 2
            }
            None => {
                notes.unexpanded += u64::from(name.is_some());
                if let Some(clip) = &mut self.clip {
                    clip.push_char('&');
                }
                1
            }
        }
    }
}
