//! Decisions of the scheduler: no async, no I/O, no clock, no randomness.
//!
//! [`decide::decide`] answers an input with changes and effects, [`advance::advance`] draws the
//! consequences that follow from the state alone, [`state::State::apply`] makes a change. All that
//! is journalled can be applied again, so a restart is a replay.

pub mod advance;
pub mod again;
pub mod around;
pub mod batch;
pub mod cost;
pub mod decide;
pub mod early;
pub mod eviction;
pub mod fleet;
pub mod held;
pub mod isolation;
pub mod label;
pub mod ledger;
pub mod near;
pub mod pattern;
pub mod plan;
pub mod pool;
pub mod retention;
pub mod rules;
pub mod run;
pub mod search;
pub mod select;
pub mod state;
mod wanted;
mod work;

/// Milliseconds on the scheduler's monotonic clock.
pub type Moment = u64;
