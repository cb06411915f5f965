//! Colours of terminals in texts of several lines. Sequences that set them become marks of one
//! character, so that no cut can leave half of one, and marks become spans with classes. All else
//! that drives a terminal is dropped.

use crate::pure::text::{escape_length, for_terminal};

/// Marks are characters of private use, each the whole style of what follows on its line. The
/// page's script knows them too.
const FIRST: u32 = 0x10_e000;
const LAST: u32 = FIRST + (1 << 11) - 1;

const COLORS: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// Parameters of a sequence beyond which it is not looked at.
const PARAMETERS: usize = 64;

/// How text looks. Colours are counted from one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    color: u32,
    ground: u32,
    bold: bool,
    italic: bool,
    underline: bool,
    inverse: bool,
    faint: bool,
}

impl Style {
    /// The style that a mark stands for; the usual one, if it is none.
    pub(super) fn of(mark: char) -> Option<Self> {
        let number = u32::from(mark);
        (FIRST..=LAST).contains(&number).then(|| {
            let bits = number - FIRST;
            let is_set = |bit: u32| bits >> bit & 1 == 1;
            Self {
                color: (bits & 0xf).min(8),
                ground: (bits >> 4 & 0xf).min(8),
                bold: is_set(8),
                italic: is_set(9),
                underline: is_set(10),
                ..Self::default()
            }
        })
    }

    fn mark(self) -> char {
        let shown = self.as_shown();
        let flags =
            u32::from(shown.bold) | u32::from(shown.italic) << 1 | u32::from(shown.underline) << 2;
        char::from_u32(FIRST + (shown.color | shown.ground << 4 | flags << 8))
            .unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// With faint and inverse said by colours, of which each can be read.
    fn as_shown(self) -> Self {
        let mut shown = Self { inverse: false, faint: false, ..self };
        if self.inverse {
            (shown.color, shown.ground) = (0, if self.color == 0 { 8 } else { self.color });
        } else if self.faint && self.color == 0 {
            shown.color = 1;
        }
        shown
    }

    /// Names of classes, parted by blanks.
    pub(super) fn classes(self) -> String {
        let color = |prefix: &str, number: u32| {
            let name = COLORS.get(number.checked_sub(1)? as usize)?;
            Some(format!("{prefix}-{name}"))
        };
        let flag = |is_set: bool, name: &str| is_set.then(|| format!("ansi-{name}"));
        let all = [
            color("ansi", self.color),
            color("ansi-on", self.ground),
            flag(self.bold, "bold"),
            flag(self.italic, "italic"),
            flag(self.underline, "underline"),
        ];
        all.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    pub(super) fn is_usual(self) -> bool {
        self.as_shown() == Self::default()
    }

    /// Takes an escape sequence, if it is one of style.
    fn take(&mut self, sequence: &str) {
        let body = sequence.strip_prefix("\u{1b}[").or_else(|| sequence.strip_prefix('\u{9b}'));
        let Some(parameters) = body.and_then(|body| body.strip_suffix('m')) else { return };
        let numbers: Option<Vec<u32>> = parameters
            .split([';', ':'])
            .take(PARAMETERS)
            .map(|one| if one.is_empty() { Some(0) } else { one.parse().ok() })
            .collect();
        let mut rest = numbers.as_deref().unwrap_or_default();
        while let [code, after @ ..] = rest {
            rest = after;
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.faint = true,
                3 => self.italic = true,
                4 => self.underline = true,
                7 => self.inverse = true,
                22 => (self.bold, self.faint) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                27 => self.inverse = false,
                30..=37 => self.color = code - 29,
                38 => (self.color, rest) = extended(after, self.color),
                39 => self.color = 0,
                40..=47 => self.ground = code - 39,
                48 => (self.ground, rest) = extended(after, self.ground),
                49 => self.ground = 0,
                90..=97 => self.color = code - 89,
                100..=107 => self.ground = code - 99,
                _ => {}
            }
        }
    }
}

/// One of the eight colours for one of many, and the parameters after it.
fn extended(parameters: &[u32], before: u32) -> (u32, &[u32]) {
    match parameters {
        [5, number, rest @ ..] => (1 + nearest_of_256(*number), rest),
        [2, red, green, blue, rest @ ..] => (1 + nearest([*red, *green, *blue], 128), rest),
        _ => (before, &[]),
    }
}

fn nearest_of_256(number: u32) -> u32 {
    match number {
        0..=15 => number % 8,
        16..=231 => {
            let cube = number - 16;
            nearest([cube / 36, cube / 6 % 6, cube % 6], 3)
        }
        _ => {
            if number < 244 {
                0
            } else {
                7
            }
        }
    }
}

/// By which of its parts are strong, compared with the strongest; `half` is where light begins.
fn nearest(parts: [u32; 3], half: u32) -> u32 {
    let most = parts.into_iter().max().unwrap_or_default();
    let least = parts.into_iter().min().unwrap_or_default();
    if most == least {
        return if most < half { 0 } else { 7 };
    }
    let middle = u32::midpoint(most, least);
    parts.into_iter().enumerate().map(|(bit, part)| u32::from(part > middle) << bit).sum()
}

/// Text for the page: colours are marks, and everything else that drives a terminal is dropped. A
/// line without marks has no style; what goes on from the line before is marked again.
pub(super) fn marked(text: &str) -> String {
    let (mut marked, mut style, mut rest) = (Marked::default(), Style::default(), text);
    while let Some(at) =
        rest.find(['\u{1b}', '\u{90}', '\u{98}', '\u{9b}', '\u{9d}', '\u{9e}', '\u{9f}'])
    {
        marked.push(&rest[..at], style);
        let sequence = escape_length(&rest[at..]);
        let character = rest[at..].chars().next().map_or(1, char::len_utf8);
        style.take(&rest[at..at + sequence]);
        rest = &rest[at + sequence.max(character)..];
    }
    marked.push(rest, style);
    marked.text
}

/// A text without its marks.
pub(super) fn unmarked(text: &str) -> String {
    text.chars().filter(|one| Style::of(*one).is_none()).collect()
}

#[derive(Default)]
struct Marked {
    text: String,
    /// What was marked on this line last.
    style: Style,
}

impl Marked {
    fn push(&mut self, piece: &str, style: Style) {
        for character in for_terminal(piece).chars() {
            if character == '\n' {
                self.style = Style::default();
            } else if self.style.mark() != style.mark() {
                self.text.push(style.mark());
                self.style = style;
            }
            // What looks like a mark and came from outside is none.
            let is_mark = Style::of(character).is_some();
            self.text.push(if is_mark { char::REPLACEMENT_CHARACTER } else { character });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::html::markup::Markup;

    fn html(text: &str) -> String {
        let mut markup = Markup::default();
        markup.lines(&marked(text));
        markup.finish()
    }

    #[test]
    fn colours_become_classes() {
        assert_eq!(
            html("a \u{1b}[1;31mred\u{1b}[0m b"),
            "a <span class=\"ansi-red ansi-bold\">red</span> b"
        );
        assert_eq!(html("\u{1b}[92;4mx"), "<span class=\"ansi-green ansi-underline\">x</span>");
        assert_eq!(html("\u{1b}[2mx"), "<span class=\"ansi-black\">x</span>");
        assert_eq!(html("\u{1b}[31;7mx"), "<span class=\"ansi-on-red\">x</span>");
        assert_eq!(html("\u{9b}35mx"), "<span class=\"ansi-magenta\">x</span>");
    }

    #[test]
    fn one_of_many_colours_is_the_nearest_of_eight() {
        assert_eq!(html("\u{1b}[38;5;196mx"), "<span class=\"ansi-red\">x</span>");
        assert_eq!(html("\u{1b}[48;2;10;20;250mx"), "<span class=\"ansi-on-blue\">x</span>");
        assert_eq!(html("\u{1b}[38;5;250;1mx"), "<span class=\"ansi-white ansi-bold\">x</span>");
        assert_eq!(html("\u{1b}[38;5mx\u{1b}[38mx\u{1b}[38;9;1mx"), "xxx");
    }

    #[test]
    fn a_style_that_does_not_end_ends_with_its_line_and_begins_anew_on_the_next() {
        assert_eq!(
            html("\u{1b}[31ma\u{1b}[32mb\nc\n\nd\u{1b}["),
            "<span class=\"ansi-red\">a</span><span class=\"ansi-green\">b</span>\n\
             <span class=\"ansi-green\">c</span>\n\n<span class=\"ansi-green\">d[</span>"
        );
        assert_eq!(html("\u{1b}[31m\u{1b}[0m"), "");
    }

    #[test]
    fn what_is_no_style_is_dropped_and_what_looks_like_a_mark_is_none() {
        assert_eq!(html("a\u{1b}[2Jb\u{1b}]0;title\u{7}c\u{1b}[?25md\u{0}e\tf"), "abcde    f");
        assert_eq!(html("a\u{10e002}<b>"), "a\u{fffd}&lt;b&gt;");
        assert_eq!(unmarked(&marked("\u{1b}[31ma\u{1b}[0mb")), "ab");
    }

    proptest! {
        #[test]
        fn the_text_is_what_a_terminal_would_show(text in "(\\PC|[<&\\n\\r\\t]|\u{1b}\\[[0-9;:]{0,6}m|\u{1b}[\\[\\]P(]|\u{9b}|\u{7}){0,40}") {
            prop_assert_eq!(unmarked(&marked(&text)), for_terminal(&text).replace(|one| Style::of(one).is_some(), "\u{fffd}"));
            let html = html(&text);
            prop_assert_eq!(html.matches("<span class=\"").count(), html.matches("</span>").count());
            prop_assert!(!html.chars().any(|one| one.is_control() && one != '\n'));
            prop_assert_eq!(html.matches('<').count(), 2 * html.matches("</span>").count());
        }
    }
}
