//! What passes between the muletrain binaries, or outlives one of them on a disk.
//!
//! The domain types here are the only ones the binaries share; they are plain values that
//! cannot be invalid once built. Only [`wire`] and [`convert`] know protocol buffers, and only
//! [`client`] opens a connection.

pub mod artifact;
pub mod blob;
pub mod cache;
pub mod cli;
pub mod client;
pub mod config;
pub mod convert;
pub mod coverage;
pub mod docker_host;
pub mod event;
pub mod exit_code;
pub mod hook;
pub mod id;
pub mod inventory;
pub mod journal;
pub mod lease;
pub mod link;
pub mod log;
pub mod offer;
pub mod outcome;
pub mod plan;
pub mod registry;
pub mod run;
pub mod runs;
pub mod seconds;
pub mod snapshot;
#[cfg(test)]
mod strategies;
pub mod suite;
pub mod verdict;
pub mod wire;

/// Version of the gRPC contract; both ends refuse any other.
pub const PROTOCOL: u32 = 1;

/// Version of this build of muletrain, the same for all its binaries.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
