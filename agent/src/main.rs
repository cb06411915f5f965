//! Runs leased apps in containers or host processes and streams their events.

use std::process::ExitCode;

fn main() -> ExitCode {
    muletrain_agent::main()
}
