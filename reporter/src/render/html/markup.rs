//! HTML in the making. Tags and names of attributes are constants of this program; whatever comes
//! from outside gets in through an escape and can be nothing but text.

use super::ansi::Style;
use super::pack::Packed;
use crate::pure::text::{for_terminal, is_bidi};

/// HTML that is well-formed as far as it goes.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

/// Names and values.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Markup {
    /// What is written in this program itself.
    pub(super) fn constant(&mut self, html: &'static str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    /// Data in an alphabet that means nothing to HTML.
    pub(super) fn packed(&mut self, packed: &Packed) -> &mut Self {
        self.0.push_str(packed.as_str());
        self
    }

    /// Text on a line. What cannot be seen, or reorders what can, is shown by its picture or name.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '\u{0}'..='\u{1f}' => self.character(picture(character)),
                '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => self.named(character),
                _ if is_bidi(character) => self.named(character),
                _ => self.character(character),
            }
        }
        self
    }

    /// Text of several lines, as a terminal would show it, with the styles that are [marked](super::ansi)
    /// in it. A style ends with its line.
    pub(super) fn lines(&mut self, text: &str) -> &mut Self {
        let mut is_open = false;
        for character in for_terminal(text).chars() {
            let style = Style::of(character);
            if is_open && (style.is_some() || character == '\n') {
                self.constant("</span>");
                is_open = false;
            }
            match style {
                Some(style) if style.is_usual() => {}
                Some(style) => {
                    self.open("span", &[("class", &style.classes())]);
                    is_open = true;
                }
                None => self.character(character),
            }
        }
        if is_open { self.constant("</span>") } else { self }
    }

    /// An element with a text in it.
    pub(super) fn leaf(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        text: &str,
    ) -> &mut Self {
        self.within(tag, attributes, |inside| {
            inside.text(text);
        })
    }

    /// An element with others in it.
    pub(super) fn within(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.open(tag, attributes);
        inside(self);
        self.constant("</").constant(tag).constant(">")
    }

    /// An element that has no end, or whose end is written later.
    pub(super) fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) -> &mut Self {
        self.constant("<").constant(tag);
        for (name, value) in attributes {
            self.constant(" ").constant(name).constant("=\"").text(value).constant("\"");
        }
        self.constant(">")
    }

    /// A mark for an outcome, by the name that formats write. It says nothing that words beside it
    /// do not.
    pub(super) fn mark(&mut self, outcome: &str) -> &mut Self {
        let class = format!("mark is-{outcome}");
        let target = format!("#mark-{outcome}");
        self.within("svg", &[("class", &class), ("aria-hidden", "true")], |inside| {
            inside.open("use", &[("href", &target)]).constant("</use>");
        })
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts one piece after another.
    pub(super) fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// The HTML.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn character(&mut self, character: char) {
        match character {
            '&' => self.0.push_str("&amp;"),
            '<' => self.0.push_str("&lt;"),
            '>' => self.0.push_str("&gt;"),
            '"' => self.0.push_str("&quot;"),
            '\'' => self.0.push_str("&#39;"),
            _ => self.0.push(character),
        }
    }

    fn named(&mut self, character: char) {
        self.0.push_str(&format!("[U+{:04X}]", u32::from(character)));
    }
}

/// The Unicode picture of a control character.
fn picture(character: char) -> char {
    char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Where a test is shown in the page. Browsers keep such an address as it is.
pub(super) fn link(id: &str, run: Option<usize>) -> String {
    let run = run.map(|run| format!("&run={}", run + 1)).unwrap_or_default();
    format!("#test={}{run}", encoded(id))
}

/// Text as a part of an address.
pub(super) fn encoded(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b':' => {
                safe.push(char::from(byte));
            }
            _ => safe.push_str(&format!("%{byte:02X}")),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        let mut markup = Markup::default();
        markup.text(text);
        markup.finish()
    }

    #[test]
    fn text_is_nothing_but_text() {
        assert_eq!(escaped("<b a='1' c=\"2\">&"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
        assert_eq!(escaped("a\nb\u{1b}[31m\u{0}"), "a␊b␛[31m␀");
        assert_eq!(escaped("x\u{202e}y\u{9b}\u{2028}"), "x[U+202E]y[U+009B][U+2028]");
        let mut markup = Markup::default();
        markup.leaf("a", &[("href", "\"><script>")], "größe").mark("failed\"");
        let html = markup.finish();
        assert!(html.starts_with("<a href=\"&quot;&gt;&lt;script&gt;\">größe</a><svg"), "{html}");
        assert!(!html.contains("failed\"\""), "{html}");
    }

    #[test]
    fn addresses_hold_no_other_part() {
        assert_eq!(
            link("a.B.test x&run=9#é", Some(0)),
            "#test=a.B.test%20x%26run%3D9%23%C3%A9&run=1"
        );
    }

    proptest! {
        #[test]
        fn no_text_is_markup(text in "\\PC*|[<>&\"'\\x00-\\x1f]*") {
            let html = escaped(&text);
            prop_assert!(!html.contains(['<', '>', '"', '\'']));
            prop_assert!(!html.chars().any(char::is_control));
            let plain = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            let plain = plain.replace("&#39;", "'").replace("&amp;", "&");
            prop_assert_eq!(plain.contains('<'), text.contains('<'));
        }
    }
}
