//! Snapshots as Docker images.

use std::path::Path;

use crate::build::{Frozen, Placed};
use crate::progress::Progress;

/// Why the engine could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None.
    #[error("no Docker Engine answers")]
    Absent,
}
impl Error {
    /// Whether there simply is no engine.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        true
    }
}
/// An engine.
#[derive(Debug)]
pub struct Engine;
impl Engine {
    /// Connects.
    pub async fn connect(_host: Option<&str>) -> Result<Self, Error> {
        Err(Error::Absent)
    }
}
/// Places.
pub async fn place(
    _: &Engine,
    _: &Frozen,
    _: &Path,
    _: &Progress,
) -> Result<Placed, crate::error::Error> {
    Err(Error::Absent.into())
}
