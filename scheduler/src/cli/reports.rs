//! What is shown of a run, and what it leaves behind.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;
use muletrain_proto::config::{ShowOutput, artifact};

/// What is shown of a run, and what it leaves behind.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Reports")]
pub struct Reports {
    /// Show what tests printed: of all, of those that went wrong, or of none [default: failed]
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        hide_possible_values = true,
        env = "MULETRAIN_SHOW_OUTPUT"
    )]
    pub show_output: Option<ShowOutput>,
    /// Take files that match out of the pods; they come to the run's folder
    #[arg(long, value_name = "GLOB", value_parser = artifact)]
    pub artifacts: Vec<String>,
    /// Measure coverage, with the project's own `coverage` package and configuration
    #[arg(
        long, value_name = "yes|no", num_args = 0..=1, require_equals = true,
        default_missing_value = "yes", value_parser = BoolishValueParser::new(),
        hide_possible_values = true, env = "MULETRAIN_COVERAGE"
    )]
    pub coverage: Option<bool>,
    /// Where runs are kept [default: .muletrain/runs in the project]
    #[arg(long, value_name = "DIR", env = "MULETRAIN_RESULTS")]
    pub results: Option<PathBuf>,
}
