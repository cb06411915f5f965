//! The `muletrain-reporter` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    muletrain_reporter::main()
}
