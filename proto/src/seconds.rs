//! A length of time as every format here writes it: finite seconds, never below zero.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A length of time in seconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Seconds(f64);

/// The number is not a length of time.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a length of time in seconds")]
pub struct Error(f64);

impl Seconds {
    /// No time at all.
    pub const ZERO: Self = Self(0.0);

    /// Checks a number of seconds.
    ///
    /// # Errors
    /// When it is negative, infinite or not a number.
    pub fn new(seconds: f64) -> Result<Self, Error> {
        // `+ 0.0` turns a negative zero into a plain one, so that equal values print alike.
        match seconds.is_finite() && seconds >= 0.0 {
            true => Ok(Self(seconds + 0.0)),
            false => Err(Error(seconds)),
        }
    }

    /// The number of seconds.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// As a standard duration; what is beyond its range is its maximum.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::try_from_secs_f64(self.0).unwrap_or(Duration::MAX)
    }
}

impl TryFrom<f64> for Seconds {
    type Error = Error;

    fn try_from(seconds: f64) -> Result<Self, Error> {
        Self::new(seconds)
    }
}

impl From<Seconds> for f64 {
    fn from(seconds: Seconds) -> Self {
        seconds.0
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self(duration.as_secs_f64())
    }
}

impl std::ops::Add for Seconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self((self.0 + other.0).min(f64::MAX))
    }
}

impl std::ops::AddAssign for Seconds {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Seconds {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        values.fold(Self::ZERO, |total, value| total + value)
    }
}

impl fmt::Display for Seconds {
    /// As a person writes it: `0.4 s`, `12 s`, `3:07`, `1:02:45`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 9.95 {
            return write!(formatter, "{:.1} s", self.0);
        }
        let whole = self.0.round();
        if whole < 60.0 {
            return write!(formatter, "{whole:.0} s");
        }
        let (hours, rest) = ((whole / 3600.0).floor(), whole % 3600.0);
        let (minutes, seconds) = ((rest / 60.0).floor(), rest % 60.0);
        match hours > 0.0 {
            true => write!(formatter, "{hours:.0}:{minutes:02.0}:{seconds:02.0}"),
            false => write!(formatter, "{minutes:.0}:{seconds:02.0}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lengths_of_time_are_taken() {
        for number in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Seconds::new(number).is_err());
        }
        assert_eq!(Seconds::new(-0.0).unwrap().get().to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn it_reads_as_a_person_writes_it() {
        let text = |seconds: f64| Seconds::new(seconds).unwrap().to_string();
        assert_eq!(text(0.04), "0.0 s");
        assert_eq!(text(9.96), "10 s");
        assert_eq!(text(59.7), "1:00");
        assert_eq!(text(187.2), "3:07");
        assert_eq!(text(3765.0), "1:02:45");
    }
}
