//! Logging as all binaries do it: to standard error, as text or as JSON lines.

use tracing_subscriber::EnvFilter;

use crate::cli::{Common, LogFormat};

/// Installs the process's logger. The filter of `MULETRAIN_LOG` wins over `-v` and `-q`.
pub fn init(common: &Common) {
    let level = match i16::from(common.verbose) - i16::from(common.quiet) {
        ..=-1 => "error",
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("MULETRAIN_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("{level},h2=warn,hyper=warn,tower=warn")));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second logger in one process is a test's doing and keeps the first.
    let _ = match common.log_format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.with_ansi(common.color.on_stderr()).try_init(),
    };
}
