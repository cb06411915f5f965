//! What a file holds, from its first bytes. No name and no ending is trusted.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes that are looked at.
pub const WINDOW: usize = 64 << 10;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A journal of muletrain.
    Journal,
    /// XML, and by all signs a report.
    Xml,
    /// A CTRF document.
    Ctrf,
    /// A log of pytest-reportlog.
    ReportLog,
    /// Nothing that is known, in words that fit after "is".
    Unknown(&'static str),
}

/// Start of every journal.
pub const JOURNAL: &str = "{\"muletrain_journal\":";

/// What a text that starts like this holds.
#[must_use]
pub fn kind(text: &str) -> Kind {
    let start = text.trim_start_matches(|one: char| one.is_whitespace() || one == '\u{feff}');
    let first_line = start.lines().next().unwrap_or_default();
    let lower = start.get(..15).unwrap_or(start).to_ascii_lowercase();
    if text.is_empty() {
        Kind::Unknown("empty")
    } else if start.is_empty() {
        Kind::Unknown("blank")
    } else if start.trim_start_matches('\0').is_empty() {
        Kind::Unknown("filled with zero bytes, as after a crash of its host")
    } else if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        Kind::Unknown("an HTML page and no report")
    } else if start.starts_with('<') {
        Kind::Xml
    } else if JOURNAL.starts_with(start) || start.starts_with(JOURNAL) {
        Kind::Journal
    } else if start.starts_with('{') && first_line.contains("\"$report_type\"") {
        Kind::ReportLog
    } else if start.starts_with('{') {
        Kind::Ctrf
    } else if start.contains("<testsuite") {
        // Something printed before the report, such as a warning of the tool.
        Kind::Xml
    } else {
        Kind::Unknown("neither a journal of muletrain, JUnit XML, CTRF nor a pytest-reportlog")
    }
}

/// The encoding of a file that starts like this, and whether it is another one than it says.
///
/// A byte order mark is believed, then a declaration that can be true, then UTF-8. Many files that
/// declare an encoding of one byte a character hold UTF-8; those that are UTF-8 throughout, with
/// something beyond ASCII in it, hardly are anything else.
#[must_use]
pub fn encoding(window: &[u8]) -> (&'static Encoding, bool) {
    if let Some((encoding, _)) = Encoding::for_bom(window) {
        return (encoding, false);
    }
    match window {
        [b'<', 0, ..] => return (UTF_16LE, false),
        [0, b'<', ..] => return (UTF_16BE, false),
        _ => {}
    }
    let Some(declared) = declared(window) else { return (UTF_8, false) };
    let one_byte = declared != UTF_8 && !is_utf8_beyond_ascii(window);
    match declared == UTF_16LE || declared == UTF_16BE {
        true => (UTF_8, true),
        false if one_byte => (declared, false),
        false => (UTF_8, declared != UTF_8),
    }
}

/// The encoding that an XML declaration names.
fn declared(window: &[u8]) -> Option<&'static Encoding> {
    let declaration = window.strip_prefix(b"<?xml")?;
    let end = declaration.iter().take(256).position(|byte| *byte == b'>')?;
    let text = std::str::from_utf8(&declaration[..end]).ok()?;
    let value = text.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|one| "'\"".contains(*one))?;
    let label = value[1..].split(quote).next()?;
    Encoding::for_label(label.as_bytes())
}

fn is_utf8_beyond_ascii(window: &[u8]) -> bool {
    let valid = match std::str::from_utf8(window) {
        Ok(_) => window.len(),
        // The window may end within a character.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => return false,
    };
    !window[..valid].is_ascii()
}

#[cfg(test)]
mod tests {
    use encoding_rs::WINDOWS_1252;

    use super::*;

    #[test]
    fn a_kind_is_told_from_the_content() {
        for (text, expected) in [
            ("{\"muletrain_journal\":1,\"run\":\"a\"}\n", Kind::Journal),
            ("{\"mule", Kind::Journal),
            ("\u{feff}  <?xml version=\"1.0\"?>", Kind::Xml),
            ("warning: slow\n<testsuites>", Kind::Xml),
            ("{\"pytest_version\": \"8\", \"$report_type\": \"SessionStart\"}\n", Kind::ReportLog),
            ("{\n  \"results\": {", Kind::Ctrf),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
        for text in ["", " \n", "\0\0\0", "<!DOCTYPE html><html>502", "<HTML>", "hello"] {
            assert!(matches!(kind(text), Kind::Unknown(_)), "{text:?}");
        }
    }

    #[test]
    fn a_declaration_is_believed_where_it_can_be_true() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>";
        assert_eq!(encoding(latin), (WINDOWS_1252, false));
        let lying = "<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>".as_bytes();
        assert_eq!(encoding(lying), (UTF_8, true));
        let impossible = b"<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>";
        assert_eq!(encoding(impossible), (UTF_8, true));
        assert_eq!(encoding(b"\xff\xfe<\0a\0"), (UTF_16LE, false));
        assert_eq!(encoding(b"\0<\0a"), (UTF_16BE, false));
        assert_eq!(encoding(b"<a>"), (UTF_8, false));
    }
}
