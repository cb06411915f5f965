//! `muletrain-scheduler`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    muletrain_scheduler::main()
}
