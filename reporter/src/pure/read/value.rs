//! JSON of other tools as a value of bounded size: what is beyond the bound is passed over while it
//! is read, and never held.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Bytes that a value may take.
pub const LIMIT: usize = 16 << 20;

/// The same for what is short and stands at the top, such as names and how a test ended: however
/// much else there is, that is kept.
const OWN: usize = 64 << 10;

/// What is short.
const SHORT: usize = 4 << 10;

/// Bytes that any value takes, however little it says.
const EACH: usize = 64;

/// Reads a value, as far as it is within the bound; also says whether something was left out.
///
/// # Errors
/// When it is no JSON, or is nested too deep.
pub fn bounded<'de, D: Deserializer<'de>>(json: D) -> Result<(Value, bool), D::Error> {
    Bounded.deserialize(json)
}

/// The same where a sequence asks for it.
#[derive(Debug)]
pub struct Bounded;

impl<'de> DeserializeSeed<'de> for Bounded {
    type Value = (Value, bool);

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        let mut room = Room { all: LIMIT, own: OWN, over: false };
        let value = Inner { room: &mut room, depth: 0 }.deserialize(json)?;
        Ok((value, room.over))
    }
}

struct Room {
    all: usize,
    own: usize,
    over: bool,
}

impl Room {
    fn take(&mut self, bytes: usize, depth: usize) -> bool {
        let purse = match depth <= 1 && bytes <= SHORT {
            true => &mut self.own,
            false => &mut self.all,
        };
        let left = purse.checked_sub(bytes + EACH);
        *purse = left.unwrap_or(*purse);
        self.over |= left.is_none();
        left.is_some()
    }
}

struct Inner<'a> {
    room: &'a mut Room,
    depth: usize,
}

impl Inner<'_> {
    fn scalar(self, value: impl Into<Value>) -> Value {
        if self.room.take(0, self.depth) { value.into() } else { Value::Null }
    }
}

impl<'de> DeserializeSeed<'de> for Inner<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inner<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(self.scalar(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(self.scalar(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        let fits = self.room.take(value.len(), self.depth);
        Ok(if fits { Value::String(value.to_owned()) } else { Value::Null })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        // Each takes room before it is looked at.
        while self.room.take(0, usize::MAX) {
            let inner = Inner { room: &mut *self.room, depth: self.depth + 1 };
            match all.next_element_seed(inner)? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
        while all.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        let depth = self.depth + 1;
        while let Some(key) = all.next_key::<String>()? {
            if !self.room.take(key.len(), depth) {
                all.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = all.next_value_seed(Inner { room: &mut *self.room, depth })?;
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Value, bool) {
        bounded(&mut serde_json::Deserializer::from_str(text)).unwrap()
    }

    #[test]
    fn what_is_within_the_bound_is_read_as_ever() {
        let text = r#"{"a": [1, -2, 2.5, null, true, {"b": "c"}], "d": {}, "e": []}"#;
        assert_eq!(read(text), (serde_json::from_str(text).unwrap(), false));
    }

    #[test]
    fn beyond_the_bound_what_is_short_at_the_top_is_kept() {
        let numbers = "0,".repeat(LIMIT / 16);
        let (value, over) = read(&format!("{{\"a\": [{numbers}0], \"status\": \"failed\"}}"));
        assert!(over);
        assert_eq!(value["status"], "failed");
        assert!(value["a"].as_array().unwrap().len() <= LIMIT / EACH);
    }
}
