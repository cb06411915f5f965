//! Foreign text made safe to show: test output, exception messages and names come from code that
//! nobody vouches for, and must not drive a terminal or break a document.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text for a terminal, possibly of several lines: escape sequences, control characters and
/// marks that reorder text are dropped; tabs become spaces.
#[must_use]
pub fn for_terminal(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let escape = escape_length(rest);
        if escape > 0 {
            rest = &rest[escape..];
            continue;
        }
        rest = &rest[character.len_utf8()..];
        match character {
            '\r' if rest.starts_with('\n') => {}
            '\r' | '\u{2028}' | '\u{2029}' => clean.push('\n'),
            '\t' => clean.push_str("    "),
            '\n' => clean.push('\n'),
            _ if character.is_control() || is_bidi(character) => {}
            _ => clean.push(character),
        }
    }
    disarm(clean)
}

/// Takes CI systems' commands apart, such as `##vso[` of Azure Pipelines, `##[` of GitHub and
/// `##teamcity[`: they look for them anywhere in what a job prints.
fn disarm(text: String) -> String {
    let is_command = |rest: &str| {
        rest.trim_start_matches(|one: char| one.is_ascii_alphanumeric() || one == '-')
            .starts_with('[')
    };
    if !text.match_indices("##").any(|(at, _)| is_command(text[at..].trim_start_matches('#'))) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for (at, character) in text.char_indices() {
        let rest = &text[at + character.len_utf8()..];
        safe.push(character);
        if safe.ends_with("##") && is_command(rest) {
            safe.push(' ');
        }
    }
    safe
}

/// The same, on one line.
#[must_use]
pub fn for_line(text: &str) -> String {
    for_terminal(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text for an XML document: characters that XML cannot hold are shown as their pictures.
#[must_use]
pub fn for_xml(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(xml_character).collect()
}

/// The character, or what stands for it where an XML document cannot hold it.
pub(crate) fn xml_character(character: char) -> char {
    match character {
        '\t' | '\n' => character,
        '\u{0}'..='\u{1f}' => picture(character),
        '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

/// The Unicode picture of a control character, such as `␛`.
fn picture(character: char) -> char {
    char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Cut to a number of terminal columns, with an ellipsis where something is missing.
#[must_use]
pub fn fit(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > columns {
            break;
        }
        kept.push(character);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// Cut and filled to exactly a number of terminal columns.
#[must_use]
pub fn pad(text: &str, columns: usize) -> String {
    let mut text = fit(text, columns);
    let missing = columns.saturating_sub(text.width());
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

/// A number of things, in words: `1 test`, `2 tests`.
#[must_use]
pub fn plural(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// Length of the escape sequence that a text starts with. One that its line does not complete is
/// no sequence: else whatever follows it could be made to vanish.
pub(crate) fn escape_length(text: &str) -> usize {
    let (introducer, kind) = match text.strip_prefix('\u{1b}') {
        Some(rest) => match rest.chars().next() {
            Some(kind) if kind.is_ascii() => (2, kind),
            _ => return 0,
        },
        None => match text.chars().next() {
            Some('\u{9b}') => (2, '['),
            Some('\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}') => (2, ']'),
            _ => return 0,
        },
    };
    let body = &text[introducer..];
    let length = match kind {
        '[' => control_sequence(body),
        ']' | 'P' | 'X' | '^' | '_' => string_sequence(body),
        ' '..='/' => body.bytes().position(|byte| (b'0'..=b'~').contains(&byte)).map(|at| at + 1),
        '0'..='~' => Some(0),
        _ => None,
    };
    length.map_or(0, |length| introducer + length)
}

/// Parameters, then one final byte.
fn control_sequence(body: &str) -> Option<usize> {
    let end = body.bytes().position(|byte| !(b' '..=b'?').contains(&byte))?;
    (b'@'..=b'~').contains(&body.as_bytes()[end]).then_some(end + 1)
}

/// Anything up to a bell or a string terminator.
fn string_sequence(body: &str) -> Option<usize> {
    let line = body.split('\n').next()?;
    let ends = ["\u{7}", "\u{1b}\\", "\u{9c}"];
    ends.into_iter().filter_map(|end| Some(line.find(end)? + end.len())).min()
}

pub(crate) fn is_bidi(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_never_reach_a_terminal() {
        for (hostile, clean) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}2Jgone", "gone"),
            ("\u{1b}Pq#0\u{1b}\\sixel", "sixel"),
            ("\u{1b}(Bcharset", "charset"),
            ("\u{1b}creset", "reset"),
            ("a\u{8}b\u{7f}c\u{0}d", "abcd"),
            ("admin\u{202e}txt.exe", "admintxt.exe"),
            ("10%\r20%\r\nend", "10%\n20%\nend"),
            ("größe 日本 👩‍💻", "größe 日本 👩‍💻"),
        ] {
            assert_eq!(for_terminal(hostile), clean, "{hostile:?}");
        }
    }

    #[test]
    fn nothing_is_a_command_to_a_ci_system() {
        for (hostile, clean) in [
            ("##vso[task.setvariable variable=a]b", "## vso[task.setvariable variable=a]b"),
            ("x\n  ##[error]no", "x\n  ## [error]no"),
            ("###[group]é##teamcity[a]", "### [group]é## teamcity[a]"),
            ("#\u{0}#\u{1b}[0m[debug]", "## [debug]"),
            ("## Title [x]\n#[derive]\n##", "## Title [x]\n#[derive]\n##"),
        ] {
            assert_eq!(for_terminal(hostile), clean, "{hostile:?}");
            assert_eq!(for_terminal(clean), clean);
        }
    }

    #[test]
    fn an_unfinished_sequence_hides_nothing() {
        assert_eq!(for_terminal("\u{1b}]0;never ends\nTraceback"), "]0;never ends\nTraceback");
        assert_eq!(for_terminal("\u{1b}[31"), "[31");
        assert_eq!(for_terminal("\u{1b}"), "");
    }

    #[test]
    fn xml_shows_what_it_cannot_hold() {
        assert_eq!(for_xml("\u{1b}[31m\u{0}\u{ffff}\r\n\t"), "␛[31m␀\u{fffd}\n\t");
    }

    #[test]
    fn text_fits_its_columns() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(pad("日本語", 4), "日… ");
        assert_eq!(fit("abc", 0), "");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_drives_a_terminal_survives(text in "(\u{1b}|\u{9b}|\u{9d}|[ -~\\n]|\u{7}|\\PC)*") {
            let clean = for_terminal(&text);
            proptest::prop_assert!(!clean.chars().any(|one| one.is_control() && one != '\n'));
        }
    }
}
