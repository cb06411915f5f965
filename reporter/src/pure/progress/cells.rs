//! Text measured in the columns that a terminal may give it, and cut to them.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::pure::style::Look;

/// Columns that a text takes at most: terminals do not agree on emoji that are made of others.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width().max(text.chars().map(of).sum())
}

fn of(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// The beginning of a text.
#[must_use]
pub fn head(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        let mut longer = kept.clone();
        longer.push(character);
        if columns(&longer) + 1 > room {
            break;
        }
        kept = longer;
    }
    if room > 0 {
        kept.push('…');
    }
    kept
}

/// The end of a text: of the id of a test it tells the most.
#[must_use]
pub fn tail(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let fitting = text.char_indices().map(|(start, _)| &text[start..]).find(|rest| {
        // What has no column of its own belongs to what was before it.
        columns(rest) < room && rest.chars().next().is_some_and(|first| of(first) > 0)
    });
    match room {
        0 => String::new(),
        _ => format!("…{}", fitting.unwrap_or_default()),
    }
}

/// A line in the making, which never gets wider than its room.
#[derive(Debug)]
pub struct Line {
    text: String,
    room: usize,
}

impl Line {
    /// An empty one.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self { text: String::new(), room }
    }

    /// Columns that are left.
    #[must_use]
    pub fn room(&self) -> usize {
        self.room
    }

    /// Adds a text as far as it fits.
    pub fn push(&mut self, text: &str) {
        self.paint(text, |_, text| text.to_owned(), Look::default());
    }

    /// The same, in a colour, which takes no room.
    pub fn paint(&mut self, text: &str, colour: impl Fn(Look, &str) -> String, look: Look) {
        // Without a character of its own to belong to, it would change the one before it.
        let text = head(text.trim_start_matches(|first| of(first) == 0), self.room);
        self.room -= columns(&text).min(self.room);
        self.text += &colour(look, &text);
    }

    /// Adds a text and fills it up to some columns.
    pub fn column(
        &mut self,
        text: &str,
        width: usize,
        colour: impl Fn(Look, &str) -> String,
        look: Look,
    ) {
        let text = head(text, width.min(self.room));
        let missing = width.saturating_sub(columns(&text));
        self.paint(&text, colour, look);
        self.push(&" ".repeat(missing.min(self.room)));
    }

    /// The whole line.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wide_and_joined_characters_are_never_measured_too_small() {
        for (text, wanted) in [
            ("abc", 3),
            ("日本", 4),
            ("e\u{301}", 1),
            ("👩‍💻", 4),
            ("❤\u{fe0f}", 2),
            ("🇩🇪", 2),
            ("", 0),
        ] {
            assert_eq!(columns(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn either_end_can_be_cut_off() {
        assert_eq!(head("shop.tests.CartTest", 8), "shop.te…");
        assert_eq!(tail("shop.tests.CartTest", 9), "…CartTest");
        assert_eq!((head("日本語", 4), tail("日本語", 4)), ("日…".into(), "…語".into()));
        assert_eq!(tail("e\u{301}e\u{301}x", 2), "…x");
        assert_eq!((head("abc", 0), tail("abc", 0)), (String::new(), String::new()));
        assert_eq!((head("abc", 1), tail("abc", 1)), ("…".into(), "…".into()));
    }

    proptest! {
        #[test]
        fn no_line_gets_wider_than_its_room(
            texts in proptest::collection::vec(("\\PC{0,12}|[👩💻‍日é\u{301}\u{fe0f}]{0,8}", 0..20_usize), 0..6),
            room in 0..40_usize,
        ) {
            let mut line = Line::new(room);
            for (text, width) in &texts {
                line.push(text);
                line.column(text, *width, |_, text| text.to_owned(), Look::default());
                line.push(&tail(text, *width));
            }
            prop_assert!(columns(&line.finish()) <= room);
        }
    }
}
