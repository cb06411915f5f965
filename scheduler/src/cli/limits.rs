//! When it is enough: of red tests, of time, of a host.

use clap::Args;
use muletrain_proto::config::units;
use muletrain_proto::seconds::Seconds;

/// When it is enough.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Stop after the first red test
    #[arg(long, conflicts_with = "max_failures")]
    pub failfast: bool,
    /// Stop after this many red tests
    #[arg(long, value_name = "N", env = "MULETRAIN_MAX_FAILURES")]
    pub max_failures: Option<u32>,
    /// Time limit of one test or fixture, such as 60s or 1m30s [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration, env = "MULETRAIN_TEST_TIMEOUT")]
    pub test_timeout: Option<Seconds>,
    /// Time limit of a class, its fixtures included
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration, env = "MULETRAIN_CLASS_TIMEOUT")]
    pub class_timeout: Option<Seconds>,
    /// Time limit of an app's tests in one pod
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration, env = "MULETRAIN_APP_TIMEOUT")]
    pub app_timeout: Option<Seconds>,
    /// Time limit of the run
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration, env = "MULETRAIN_TIMEOUT")]
    pub timeout: Option<Seconds>,
    /// Memory of one container, such as 512m or 2g
    #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes, env = "MULETRAIN_MEMORY")]
    pub memory: Option<u64>,
    /// Processes and threads of one container
    #[arg(long, value_name = "N", env = "MULETRAIN_PROCESSES")]
    pub processes: Option<u32>,
    /// Processors of one container, such as 1.5
    #[arg(long, value_name = "N", env = "MULETRAIN_CPUS")]
    pub cpus: Option<f64>,
}
