//! The Docker Engine of this host, asked through its command line.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::program::output;

/// Makes sure that the base image of the samples is there.
///
/// # Panics
/// When there is no engine, or the image cannot be made.
pub fn prepare() {
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bin/base-image");
        output(&mut Command::new(script));
    });
}

/// What a command of `docker` prints.
#[track_caller]
pub fn docker(arguments: &[&str]) -> String {
    output(Command::new("docker").args(arguments))
}

/// Ids of all containers with a label, alive or not.
#[must_use]
pub fn containers(name: &str, value: &str) -> Vec<String> {
    let label = format!("label={name}={value}");
    let listed = docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &label]);
    listed.lines().map(str::to_owned).collect()
}
