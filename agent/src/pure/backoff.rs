//! How long to wait before another try.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// Time before the next try after `failures` in a row; `random` in 0…1 spreads agents that lost
/// the same scheduler over the upper half of it.
#[must_use]
pub fn delay(failures: u32, random: f64) -> Duration {
    let full = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
    full.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_five_seconds() {
        let delays: Vec<u128> =
            [1, 2, 3, 4, 5, 6, 1000].map(|failures| delay(failures, 1.0).as_millis()).into();
        assert_eq!(delays, [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(delay(1, 0.0), Duration::from_millis(100));
    }
}
