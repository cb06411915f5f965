//! Decisions, free of async, I/O, clock and randomness.

pub mod around;
pub mod backlog;
pub mod backoff;
pub mod check;
pub mod conversation;
pub mod exchange;
pub mod harness;
pub mod image;
pub mod kept;
pub mod outcome;
pub mod patience;
pub mod pod;
pub mod slots;
pub mod warming;
pub mod wording;
