//! What flows through all four binaries are made of: projects, programs, what these leave behind,
//! and an account of the right verdicts that knows nothing of muletrain.

pub mod engine;
pub mod fleet;
pub mod flow;
pub mod journal;
pub mod oracle;
pub mod private_engine;
pub mod program;
pub mod project;
pub mod registry;
pub mod relay;
pub mod simulation;
pub mod wait;
