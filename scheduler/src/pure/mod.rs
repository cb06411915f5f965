//! Decisions of the scheduler: no async, no I/O, no clock, no randomness.
//!
//! [`decide::decide`] answers an input with changes and effects, [`advance::advance`] draws the
//! consequences that follow from the state alone, [`state::State::apply`] makes a change. All that
//! is journalled can be applied again, so a restart is a replay.

pub mod advance;
pub mod decide;
pub mod eviction;
pub mod fleet;
pub mod label;
pub mod ledger;
pub mod plan;
pub mod run;
pub mod select;
pub mod state;

/// Milliseconds on the scheduler's monotonic clock.
pub type Moment = u64;
