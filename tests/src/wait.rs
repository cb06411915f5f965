//! Waiting for what will come true, and not for longer than it may take.

use std::time::{Duration, Instant};

/// Time between two looks.
const BLINK: Duration = Duration::from_millis(20);

/// Looks until there is something to see.
///
/// # Panics
/// When there is nothing within the limit.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, look: impl FnMut() -> Option<T>) -> T {
    match become_true(limit, look) {
        Some(seen) => seen,
        None => panic!("waited {limit:?} for {what}"),
    }
}

/// Looks until there is something to see; nothing when there is nothing within the limit.
pub fn become_true<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        let seen = look();
        if seen.is_some() || Instant::now() >= deadline {
            return seen;
        }
        #[expect(clippy::disallowed_methods, reason = "between two looks, with a deadline")]
        std::thread::sleep(BLINK);
    }
}
