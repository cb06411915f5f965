//! What every binary has on its command line, so that all four look the same.

use std::error::Error;
use std::io::{IsTerminal, Write};

use clap::{ArgAction, Args, Command, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Arguments that every binary has.
#[derive(Debug, Clone, Args, Default)]
#[command(next_help_heading = "Output")]
pub struct Common {
    /// When to use colour
    #[arg(long, value_enum, default_value_t, global = true, env = "MULETRAIN_COLOR")]
    pub color: Color,
    /// Say more (-vv: still more)
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Say less
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub quiet: u8,
    /// How log lines are written
    #[arg(long, value_enum, default_value_t, global = true, env = "MULETRAIN_LOG_FORMAT")]
    pub log_format: LogFormat,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether standard error gets colour.
    #[must_use]
    pub fn on_stderr(self) -> bool {
        self.decide(std::io::stderr().is_terminal())
    }

    /// Whether standard output gets colour.
    #[must_use]
    pub fn on_stdout(self) -> bool {
        self.decide(std::io::stdout().is_terminal())
    }

    fn decide(self, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
        }
    }

    /// The value as its argument is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Common {
    /// The same arguments for a sibling that this process starts.
    #[must_use]
    pub fn to_arguments(&self) -> Vec<String> {
        let format = match self.log_format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        let mut arguments =
            vec![format!("--color={}", self.color.as_str()), format!("--log-format={format}")];
        arguments.extend(std::iter::repeat_n("--verbose".to_owned(), self.verbose.into()));
        arguments.extend(std::iter::repeat_n("--quiet".to_owned(), self.quiet.into()));
        arguments
    }
}

/// Documents made from the same definitions as the arguments.
#[derive(Debug, Clone, Subcommand)]
pub enum Generate {
    /// Print the manual page
    Man,
    /// Print a completion script
    Completions {
        /// For which shell
        shell: Shell,
    },
}

impl Generate {
    /// Writes the document for a binary's command line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, mut command: Command, out: &mut impl Write) -> std::io::Result<()> {
        match self {
            Self::Man => clap_mangen::Man::new(command).render(out),
            Self::Completions { shell } => {
                let name = command.get_name().to_owned();
                clap_complete::generate(*shell, &mut command, name, out);
                Ok(())
            }
        }
    }
}

/// An error and its causes on standard error, as every binary shows them.
pub fn print_error(error: &(dyn Error + 'static)) {
    let mut text = format!("error: {error}\n");
    for cause in causes(error) {
        text += &format!("  because: {cause}\n");
    }
    // Standard error may be closed; there is nowhere left to say so.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// An error and its causes on one line, for a log or a message to a peer.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

type Cause<'a> = &'a (dyn Error + 'static);

/// The causes of an error in words, without those that only say again what the one before said.
fn causes(error: Cause<'_>) -> impl Iterator<Item = String> {
    fn next<'a>(cause: &Cause<'a>) -> Option<Cause<'a>> {
        (*cause).source()
    }
    let mut before = error.to_string();
    std::iter::successors(error.source(), next).map(ToString::to_string).filter(move |text| {
        let says_more = *text != before;
        before.clone_from(text);
        says_more
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<dyn Error>>,
    }

    #[test]
    fn a_cause_that_says_nothing_new_is_left_out() {
        let refused: Box<dyn Error> = io::Error::other("refused").into();
        let layer = |text, source: Box<dyn Error>| Layer { text, source: Some(source) };
        let error = layer("no answer", layer("refused", refused).into());
        assert_eq!(chain(&error), "no answer: refused");
    }
}
