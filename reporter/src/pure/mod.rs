//! Decisions: no async, no I/O, no clock, no randomness.

pub mod around;
pub mod catalog;
pub mod compare;
pub mod counts;
pub mod events;
pub mod exit;
pub mod finish;
pub mod fold;
pub mod foreign;
pub mod history;
pub mod junit;
pub mod lease;
pub mod place;
pub mod progress;
pub mod read;
pub mod slowest;
pub mod style;
pub mod summary;
pub mod text;
pub mod unique;
pub mod verdict;
pub mod warming;
pub mod words;
