//! Lines at the bottom of a terminal that are drawn over and over, below those that stay.
//!
//! The cursor rests on an empty row above them. So what another program prints takes the place of
//! that row and is not drawn over, and when the terminal is resized, whatever it makes of the rows
//! on it, all that was drawn is still below the cursor.

use std::io::Write;

use crate::pure::progress::frame::Size;

/// Begins what must not be wrapped, whatever a terminal thinks of its width.
const NO_WRAP: &str = "\x1b[?7l";

/// Ends it.
const WRAP: &str = "\x1b[?7h";

/// Clears the row.
const CLEAR_ROW: &str = "\x1b[2K";

/// Clears all from the cursor on.
const CLEAR_BELOW: &str = "\x1b[J";

/// What is drawn on a terminal.
#[derive(Debug, Default)]
pub struct Drawing {
    drawn: Option<(Vec<String>, Size)>,
}

impl Drawing {
    /// Draws lines in the place of those before; lines `above` stay.
    pub fn draw(&mut self, above: &[String], lines: &[String], size: Size) {
        let before = match &self.drawn {
            Some((drawn, at)) if *at == size => {
                if above.is_empty() && drawn == lines {
                    return;
                }
                Before::Rows(drawn.len())
            }
            // Rows may have been wrapped by now.
            _ => Before::Unknown,
        };
        write(&text(above, lines, before));
        self.drawn = Some((lines.to_owned(), size));
    }

    /// Removes what was drawn; lines `above` stay.
    pub fn clear(self, above: &[String]) {
        let stay: String = above.iter().map(|line| format!("{line}\r\n")).collect();
        match (self.drawn, stay.is_empty()) {
            (None, true) => {}
            _ => write(&format!("\r{CLEAR_BELOW}{stay}")),
        }
    }
}

/// What is below the empty row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// So many rows, as they were drawn.
    Rows(usize),
    /// Nobody knows.
    Unknown,
}

/// What has to be written from the empty row on. Rows are written over rather than cleared first
/// where that is possible, or they would flicker.
fn text(above: &[String], lines: &[String], before: Before) -> String {
    let mut text = "\r".to_owned();
    let before = match before {
        Before::Rows(rows) if above.is_empty() => rows,
        Before::Rows(_) | Before::Unknown => {
            text += CLEAR_BELOW;
            0
        }
    };
    above.iter().for_each(|line| text += &format!("{line}\r\n"));
    text += NO_WRAP;
    text += CLEAR_ROW;
    lines.iter().for_each(|line| text += &format!("\r\n{CLEAR_ROW}{line}"));
    let mut down = lines.len();
    if before > lines.len() {
        text += &format!("\r\n{CLEAR_BELOW}");
        down += 1;
    }
    text += WRAP;
    text.push('\r');
    if down > 0 {
        text += &format!("\x1b[{down}A");
    }
    text
}

/// All at once, so that no other program writes in between.
fn write(text: &str) {
    // It may be closed; there is nowhere left to say so.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(above: &[&str], lines: &[&str], before: Before) -> String {
        let owned =
            |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        text(&owned(above), &owned(lines), before).replace('\x1b', "␛").replace("\r\n", "⏎\n")
    }

    #[test]
    fn rows_are_written_over_and_the_cursor_goes_back_to_the_empty_one() {
        insta::assert_snapshot!(visible(&[], &["bar", "pod"], Before::Rows(2)));
    }

    #[test]
    fn what_stays_goes_above() {
        insta::assert_snapshot!(visible(&["FAILED a", "FAILED b"], &["bar"], Before::Rows(3)));
    }

    #[test]
    fn when_the_terminal_was_resized_all_is_cleared() {
        insta::assert_snapshot!(visible(&[], &["bar"], Before::Unknown));
    }

    #[test]
    fn rows_that_are_not_needed_any_more_are_cleared() {
        insta::assert_snapshot!(visible(&[], &["bar"], Before::Rows(3)));
        insta::assert_snapshot!(visible(&[], &[], Before::Rows(1)));
    }
}
