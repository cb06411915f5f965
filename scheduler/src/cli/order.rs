//! In which order tests run, and how often.

use clap::Args;
use muletrain_proto::config::Flaky;

/// In which order tests run, and how often.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Order and repetition")]
pub struct Order {
    /// Further tries of a test that failed, ended in an error or took too long
    #[arg(long, value_name = "N", env = "MULETRAIN_RETRIES")]
    pub retries: Option<u32>,
    /// What a test that passed in a later try makes of the run [default: pass]
    #[arg(long, value_enum, env = "MULETRAIN_FLAKY")]
    pub flaky: Option<Flaky>,
    /// Run only what failed, crashed, took too long or never ran in a stored run
    #[arg(long, value_name = "last|RUN")]
    pub rerun: Option<String>,
    /// Repeat the failure of a test: in its snapshot, after all that ran before it in its pod
    #[arg(long, value_name = "TEST", conflicts_with = "isolate")]
    pub reproduce: Option<String>,
    /// Find out what makes a test fail: itself, or which tests that run before it
    #[arg(long, value_name = "TEST", conflicts_with = "until_failure")]
    pub isolate: Option<String>,
    /// Run again and again until something is red, this many times at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub until_failure: Option<u32>,
    /// Shuffle classes and methods, each time in another order or by a seed
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true)]
    pub shuffle: Option<Option<u64>>,
    /// Shuffle by this seed, which a report named
    #[arg(long, value_name = "N", env = "MULETRAIN_SEED")]
    pub seed: Option<u64>,
}
