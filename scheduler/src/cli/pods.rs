//! Where and in what tests run.

use clap::Args;
use clap::builder::BoolishValueParser;
use muletrain_proto::config::Runtime;
use muletrain_proto::run::{Isolation, parse_db_prefix};

/// Where and in what tests run.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Pods")]
pub struct Pods {
    /// Containers or processes at once [default: one per processor here, or all that a fleet has]
    #[arg(long, value_name = "N", env = "MULETRAIN_SLOTS", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub slots: Option<u32>,
    /// What tests run in; auto means containers where a Docker Engine answers, else processes
    #[arg(long, value_enum, env = "MULETRAIN_RUNTIME")]
    pub runtime: Option<Runtime>,
    /// Docker Engine to use instead of the default one
    #[arg(long, value_name = "URL", env = "MULETRAIN_DOCKER_HOST")]
    pub docker_host: Option<String>,
    /// What every app has to itself: a pod, or a process forked where Django is loaded already
    #[arg(long, value_enum, env = "MULETRAIN_ISOLATION")]
    pub isolation: Option<Isolation>,
    /// What the names of test databases begin with, in place of `test`
    #[arg(long, value_name = "PREFIX", value_parser = parse_db_prefix, env = "MULETRAIN_DB_PREFIX")]
    pub db_prefix: Option<String>,
    /// Set every pod's databases up anew instead of starting from kept ones
    #[arg(
        long = "fresh-db", value_name = "yes|no", num_args = 0..=1, require_equals = true,
        default_missing_value = "yes", value_parser = BoolishValueParser::new(),
        hide_possible_values = true, env = "MULETRAIN_FRESH_DB"
    )]
    pub fresh_databases: Option<bool>,
}
