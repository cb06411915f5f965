//! How text on a terminal looks: colour or none, and how wide.

use anstyle::{AnsiColor, Style};
use muletrain_proto::config::ShowOutput;

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Whether colour is wanted.
    pub color: bool,
    /// Columns.
    pub width: usize,
    /// Of which tests it is shown what they printed.
    pub output: ShowOutput,
}

impl Look {
    /// Something that went wrong.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.paint(text, AnsiColor::Red.on_default())
    }

    /// Something to look at.
    #[must_use]
    pub fn odd(self, text: &str) -> String {
        self.paint(text, AnsiColor::Yellow.on_default())
    }

    /// All is well.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.paint(text, AnsiColor::Green.on_default())
    }

    /// What holds a section together.
    #[must_use]
    pub fn strong(self, text: &str) -> String {
        self.paint(text, Style::new().bold())
    }

    /// What is there when wanted.
    #[must_use]
    pub fn faint(self, text: &str) -> String {
        self.paint(text, Style::new().dimmed())
    }

    fn paint(self, text: &str, style: Style) -> String {
        match self.color && !text.is_empty() {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }
}
