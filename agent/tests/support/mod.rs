//! What the agent's tests share: a scheduler that does as it is told, agents as real processes,
//! sample projects with their Django.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "what fails here fails a test")]

pub mod agent;
pub mod blobs;
pub mod engine;
pub mod fake_engine;
pub mod flow;
pub mod project;
pub mod scheduler;

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something to become true.
pub async fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    within(PATIENCE, what, &mut check).await;
}

/// Waits for something to become true before a deadline; the time it took.
pub async fn within(limit: Duration, what: &str, mut check: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !check() {
        assert!(begun.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}
