//! Which tests.

use clap::Args;

/// Which tests, beyond the labels.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Selection")]
pub struct Selection {
    /// Only classes that match: a dotted class or its subclasses, or a glob
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub include: Vec<String>,
    /// No classes that match: a dotted class or its subclasses, or a glob
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub exclude: Vec<String>,
    /// Only tests with this tag
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// No tests with this tag
    #[arg(long = "exclude-tag", value_name = "TAG")]
    pub exclude_tags: Vec<String>,
    /// Only tests whose id holds this text, or matches it where it has a `*`
    #[arg(short = 'k', value_name = "PATTERN")]
    pub patterns: Vec<String>,
}
