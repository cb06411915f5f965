//! Flows from a checkout to a report, through the binaries as a user starts them.
//!
//! They want Python 3 with `venv` and a Docker Engine, and fail without: none is skipped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

/// Tests of one flow in containers and in host processes.
macro_rules! in_both_runtimes {
    ($($name:ident),+ $(,)?) => {
        mod docker {
            $(#[test] fn $name() {
                muletrain_tests::engine::prepare();
                super::$name("docker");
            })+
        }

        mod process {
            $(#[test] fn $name() {
                super::$name("process");
            })+
        }
    };
}

mod ahead;
mod around;
mod automatic;
mod broken;
mod checkout;
mod delivery;
mod documents;
mod engine_loss;
mod engines;
mod faults;
mod fleet;
mod hostile;
mod interrupt;
mod isolation;
mod junit;
mod limits;
mod loss;
mod mariadb;
mod messages;
mod order;
mod patient;
mod registry;
mod secrets;
mod server_databases;
mod services;
mod shared_server;
mod storage;
mod suites;
mod travel;
mod verdicts;
