//! Characters as XML writes them: references taken apart, foreign text written so that it never
//! breaks a document.

use std::borrow::Cow;

use crate::pure::text::xml_character;

/// Longest reference that is looked at, in bytes; what is longer is no reference.
pub const LONGEST_REFERENCE: usize = 64;

/// The character that a reference such as `lt` or `#x1b` stands for. None for entities of a
/// document's own: those are never expanded.
#[must_use]
pub fn reference(name: &str) -> Option<char> {
    let number = |digits: &str, radix| {
        let digits = digits.starts_with(|first: char| first.is_ascii_hexdigit()).then_some(digits);
        char::from_u32(u32::from_str_radix(digits?, radix).ok()?)
    };
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => number(&hex[1..], 16),
            decimal => number(decimal, 10),
        },
    }
}

/// The value of an attribute as it was meant. What is no reference stays as it is.
#[must_use]
pub fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('&') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(start) = rest.find('&') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.bytes().take(LONGEST_REFERENCE).position(|byte| byte == b';');
        let length = match end.and_then(|end| Some((end, reference(&rest[1..end])?))) {
            Some((end, character)) => {
                text.push(character);
                end + 1
            }
            None => {
                text.push('&');
                1
            }
        };
        rest = &rest[length..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Adds a text as the content of an element.
pub fn push_text(out: &mut String, text: &str) {
    push(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'\'' => Some("&apos;"),
        b'"' => Some("&quot;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

/// Adds a text as the value of an attribute; readers would make spaces of plain line ends.
pub fn push_value(out: &mut String, text: &str) {
    push(out, text, |byte| match byte {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'\'' => Some("&apos;"),
        b'"' => Some("&quot;"),
        b'\r' => Some("&#13;"),
        b'\n' => Some("&#10;"),
        b'\t' => Some("&#9;"),
        _ => None,
    });
}

/// Copies runs of plain bytes whole. Control characters, and the two characters behind `0xef` that
/// XML cannot hold, are shown as pictures.
fn push(out: &mut String, text: &str, escape: impl Fn(u8) -> Option<&'static str>) {
    let bytes = text.as_bytes();
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if is_plain(byte) {
            at += 1;
            continue;
        }
        let (length, shown) = match escape(byte) {
            Some(escaped) => (1, Err(escaped)),
            None => {
                let character = text[at..].chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
                (character.len_utf8(), Ok(xml_character(character)))
            }
        };
        out.push_str(&text[start..at]);
        match shown {
            Ok(character) => out.push(character),
            Err(escaped) => out.push_str(escaped),
        }
        at += length;
        start = at;
    }
    out.push_str(&text[start..]);
}

fn is_plain(byte: u8) -> bool {
    byte >= b' ' && !matches!(byte, b'<' | b'>' | b'&' | b'\'' | b'"' | 0xef)
}

/// Whether a name can stand in a document that knows no namespaces.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let letter = |one: char| one.is_ascii_alphabetic() || one == '_';
    name.starts_with(letter)
        && name.chars().all(|one| letter(one) || one.is_ascii_digit() || "-.".contains(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart_and_entities_left_alone() {
        for (raw, meant) in [
            ("a &lt; b &amp;&amp; c", "a < b && c"),
            ("&#27;[31m&#x1B;&#0;", "\u{1b}[31m\u{1b}\0"),
            ("&l9; & &; &#; &#x110000; &#+1;", "&l9; & &; &#; &#x110000; &#+1;"),
            ("tom & jerry;", "tom & jerry;"),
        ] {
            assert_eq!(unescape(raw), meant, "{raw}");
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_shown() {
        let (mut text, mut value) = (String::new(), String::new());
        push_text(&mut text, "\u{1b}[1m\0\u{ffff}\u{feff}\r\n<&>");
        push_value(&mut value, "a\n\tb\"");
        assert_eq!(text, "␛[1m␀\u{fffd}\u{feff}&#13;\n&lt;&amp;&gt;");
        assert_eq!(value, "a&#10;&#9;b&quot;");
    }

    proptest::proptest! {
        #[test]
        fn a_value_that_is_written_is_read_again(text in "[\\t\\n\\r -\u{d7ff}\u{e000}-\u{fffd}]*") {
            let mut written = String::new();
            push_value(&mut written, &text);
            proptest::prop_assert_eq!(unescape(&written), text);
        }
    }
}
