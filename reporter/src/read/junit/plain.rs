//! Cases that have nothing in them, which are most: read and written again in one go.

use crate::pure::junit::Plain;
use crate::pure::junit::case::{Class, class_of_word};
use crate::pure::junit::markup::{push_value, unescape};
use crate::pure::junit::tally::Counts;
use crate::pure::junit::times::micros;

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
    let end = text.iter().position(|byte| *byte == b'>')?;
    let text = std::str::from_utf8(&text[..=end]).ok()?;
    if written {
        plain.text.reserve(256);
        plain.text.push_str("<testcase");
    }
    let (mut class, mut time) = (Class::Passed, 0);
    loop {
        let spaces = text[at..].bytes().position(|byte| !matches!(byte, b' ' | b'\n' | b'\t'))?;
        at += spaces;
        if &text[at..] == "/>" {
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
            // What is odd has to be noted.
            "time" => time = micros(&unescape(value))?,
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
fn attribute(text: &str) -> Option<(&str, &str, usize)> {
    let bytes = text.as_bytes();
    let end = bytes.iter().position(|byte| !is_in_name(*byte))?;
    let is_name = bytes[0].is_ascii_alphabetic() || bytes[0] == b'_';
    let (quote, value) = bytes[end..].strip_prefix(b"=")?.split_first()?;
    if end == 0 || !is_name || !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let length = value.iter().position(|byte| byte == quote || matches!(byte, b'<' | b'\r'))?;
    if value[length] != *quote {
        return None;
    }
    let start = end + 2;
    Some((&text[..end], &text[start..start + length], start + length + 1))
}

fn is_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
