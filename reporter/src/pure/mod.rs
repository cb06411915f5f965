//! Decisions: no async, no I/O, no clock, no randomness.

pub mod catalog;
pub mod counts;
pub mod events;
pub mod exit;
pub mod finish;
pub mod fold;
pub mod lease;
pub mod progress;
pub mod style;
pub mod summary;
pub mod text;
pub mod verdict;
pub mod warming;
