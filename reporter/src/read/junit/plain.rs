//! Cases that have nothing in them, which are most: read and written again in one go.

use crate::pure::junit::case::{Class, class_of_word};
use crate::pure::junit::markup::{push_value, unescape};
use crate::pure::junit::tally::Counts;
use crate::pure::junit::times::micros;
use crate::pure::junit::{Plain, times};

const START: &[u8] = b"<testcase";

/// Attributes beyond which a case is left to others.
const ATTRIBUTES: usize = 16;

/// The case that a text begins with, and its length there; none where it is anything but a tag
/// that is written as usual, which is for others to read. What is to be written is left out where
/// nobody wants it.
pub(super) fn read(text: &[u8], written: bool) -> Option<(Plain, usize)> {
    let mut names = [""; ATTRIBUTES];
    let (mut known, mut at) = (0, START.len());
    let mut plain = Plain { counts: Counts::default(), text: String::new() };
    if !text.starts_with(START) {
        return None;
    }
    if written {
        plain.text.reserve(256);
        plain.text.push_str("<testcase");
    }
    let (mut class, mut time) = (Class::Passed, 0);
    loop {
        let spaces = text[at..].iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\t'))?;
        at += spaces;
        if text[at..].starts_with(b"/>") {
            plain.counts = Counts::of(class, time);
            if written {
                plain.text.push_str("/>");
            }
            return Some((plain, at + 2));
        }
        let (name, value, length) = attribute(&text[at..])?;
        if spaces == 0 || known == ATTRIBUTES || names[..known].contains(&name) {
            return None;
        }
        names[known] = name;
        known += 1;
        at += length;
        match name {
            "xmlns" => return None,
            "time" => {
                let value = unescape(value);
                // What is odd has to be noted.
                times::duration(&value)?;
                time = micros(&value).unwrap_or_default();
            }
            "status" | "result" => {
                class = class.max(class_of_word(&unescape(value)).unwrap_or(Class::Passed));
            }
            _ => {}
        }
        if written {
            plain.text.push(' ');
            plain.text.push_str(name);
            plain.text.push_str("=\"");
            push_value(&mut plain.text, &unescape(value));
            plain.text.push('"');
        }
    }
}

/// Name, value and length of an attribute.
fn attribute(text: &[u8]) -> Option<(&str, &str, usize)> {
    let end = text.iter().position(|byte| !is_in_name(*byte))?;
    let is_name = text[0].is_ascii_alphabetic() || text[0] == b'_';
    let (quote, value) = text[end..].strip_prefix(b"=")?.split_first()?;
    if end == 0 || !is_name || !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let length = value.iter().position(|byte| byte == quote || matches!(byte, b'<' | b'\r'))?;
    if value[length] != *quote {
        return None;
    }
    let name = std::str::from_utf8(&text[..end]).ok()?;
    Some((name, std::str::from_utf8(&value[..length]).ok()?, end + length + 3))
}

fn is_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
