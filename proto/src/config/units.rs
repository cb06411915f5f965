//! Lengths of time and amounts of memory as people write them: `1m30s`, `2g`.

use serde::{Deserialize, Deserializer, de};

use crate::seconds::Seconds;

/// Why a text is not such a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a length of time.
    #[error("{0:?} is not a length of time; write it as \"90s\", \"1m30s\" or \"2h\"")]
    Duration(String),
    /// Not an amount of memory.
    #[error("{0:?} is not an amount of memory; write it as \"512m\" or \"2g\"")]
    Bytes(String),
}

/// Units of time and their seconds, the largest first: the order they are written in.
const TIMES: [(&str, f64); 4] = [("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001)];

/// Units of memory and the bits to shift by.
const SIZES: [(&str, u32); 12] = [
    ("b", 0),
    ("k", 10),
    ("kb", 10),
    ("kib", 10),
    ("m", 20),
    ("mb", 20),
    ("mib", 20),
    ("g", 30),
    ("gb", 30),
    ("gib", 30),
    ("t", 40),
    ("tib", 40),
];

/// Reads a length of time such as `60s`, `1m30s` or `0.5h`; it is longer than nothing.
///
/// # Errors
/// When the text is none.
pub fn parse_duration(text: &str) -> Result<Seconds, Error> {
    let wrong = || Error::Duration(text.to_owned());
    let (mut rest, mut total, mut units) = (text.trim(), 0.0, &TIMES[..]);
    while !rest.is_empty() {
        let (number, unit, after) = leading_part(rest).ok_or_else(wrong)?;
        let place = units.iter().position(|(name, _)| *name == unit).ok_or_else(wrong)?;
        total += number * units[place].1;
        (rest, units) = (after, &units[place + 1..]);
    }
    Seconds::new(total).ok().filter(|seconds| *seconds > Seconds::ZERO).ok_or_else(wrong)
}

/// Reads an amount of memory such as `512m` or `2g`, in powers of 1024; it is more than nothing.
///
/// # Errors
/// When the text is none.
pub fn parse_bytes(text: &str) -> Result<u64, Error> {
    let wrong = || Error::Bytes(text.to_owned());
    let lower = text.trim().to_ascii_lowercase();
    let (number, unit, after) = leading_part(&lower).ok_or_else(wrong)?;
    let (_, shift) = SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    #[expect(clippy::cast_precision_loss, reason = "powers of two are exact")]
    let bytes = number * (1_u64 << shift) as f64;
    // Beyond 2^53 a float no longer tells bytes apart, and no host has that much.
    match after.is_empty() && (1.0..=9e15).contains(&bytes) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        true => Ok(bytes as u64),
        false => Err(wrong()),
    }
}

/// The number and unit a text starts with, and what follows them.
fn leading_part(text: &str) -> Option<(f64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number = text[..digits].parse().ok()?;
    let rest = text[digits..].trim_start();
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    Some((number, &rest[..letters], rest[letters..].trim_start()))
}

pub(super) fn read_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Seconds>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map(Some).map_err(de::Error::custom)
}

pub(super) fn read_bytes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_bytes(&text).map(Some).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        let seconds = |text| parse_duration(text).map(Seconds::get).ok();
        assert_eq!(seconds("60s"), Some(60.0));
        assert_eq!(seconds("1m30s"), Some(90.0));
        assert_eq!(seconds("1h 5m"), Some(3900.0));
        assert_eq!(seconds("0.5h"), Some(1800.0));
        assert_eq!(seconds("250ms"), Some(0.25));
        for text in ["", "60", "s", "30s1m", "1s1s", "-1s", "0s", "1.2.3s", "1y", "1é"] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }

    #[test]
    fn memory_counts_in_powers_of_1024() {
        assert_eq!(parse_bytes("2g"), Ok(2 << 30));
        assert_eq!(parse_bytes("1.5 GiB"), Ok(3 << 29));
        assert_eq!(parse_bytes("512MB"), Ok(512 << 20));
        for text in ["", "2", "g", "0m", "2gg", "2g1m", "-1g", "99999999t"] {
            assert!(parse_bytes(text).is_err(), "{text:?}");
        }
    }
}
