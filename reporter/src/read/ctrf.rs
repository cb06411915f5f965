//! CTRF documents, test by test.

use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::junit::Sink;
use super::shorten::{Shorten, Text};
use super::source::Source;
use super::{Damage, Keep, Reading, left_out};
use crate::pure::junit::{Element, Part};
use crate::pure::read::ctrf::{self, Context};
use crate::pure::read::value::Bounded;

/// Reads a document to its end, or as far as it goes.
///
/// # Errors
/// Whatever the sink says. What is wrong with the document is part of the reading.
pub fn read<R: Read>(source: Source<R>, keep: Keep, sink: Sink<'_>) -> io::Result<Reading> {
    let mut text = Shorten::new(source, Text::Document);
    let mut state = State {
        keep,
        sink,
        context: Context::default(),
        open: None,
        cases: 0,
        listed: false,
        shortened: 0,
        parts: 0,
        refused: None,
    };
    (state.sink)(Part::Root(Element::new("testsuites")))?;
    let mut json = serde_json::Deserializer::from_reader(&mut text);
    let read = Document(&mut state).deserialize(&mut json).and_then(|()| json.end());
    if let Some(error) = state.refused.take() {
        return Err(error);
    }
    if state.open.is_some() {
        (state.sink)(Part::Close)?;
    }
    let byte = text.inner().taken;
    let damage = match read {
        Err(error) => Some(Damage { byte, reason: error.to_string() }),
        Ok(()) if !state.listed => {
            Some(Damage { byte: 0, reason: "it is JSON, but without a list of results".to_owned() })
        }
        Ok(()) => None,
    };
    let notes = left_out(state.shortened, state.parts);
    Ok(Reading { damage, notes, cases: state.cases })
}

struct State<'a> {
    keep: Keep,
    sink: Sink<'a>,
    context: Context,
    /// The suite that is open.
    open: Option<String>,
    cases: u64,
    /// Whether there was a list of tests.
    listed: bool,
    /// Tests that were too large.
    shortened: u64,
    /// Elements that were too many.
    parts: u64,
    refused: Option<io::Error>,
}

impl State<'_> {
    fn test(&mut self, test: &serde_json::Value) -> io::Result<()> {
        let suite = self.context.suite(test);
        if self.open.as_deref() != Some(&suite) {
            if self.open.is_some() {
                (self.sink)(Part::Close)?;
            }
            let open = Element::new("testsuite").with("name", &suite);
            (self.sink)(Part::Open(open))?;
            self.open = Some(suite);
        }
        self.cases += 1;
        let mut case = ctrf::case(test);
        self.parts += self.keep.bound(&mut case);
        (self.sink)(Part::Case(case))
    }
}

struct Document<'s, 'a>(&'s mut State<'a>);
struct Results<'s, 'a>(&'s mut State<'a>);
struct Tests<'s, 'a>(&'s mut State<'a>);

/// A seed that visits a value of one kind.
macro_rules! seed {
    ($name:ident, $kind:ident) => {
        impl<'de> DeserializeSeed<'de> for $name<'_, '_> {
            type Value = ();

            fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
                json.$kind(self)
            }
        }
    };
}

seed!(Document, deserialize_map);
seed!(Results, deserialize_map);
seed!(Tests, deserialize_seq);

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a CTRF document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "results" => map.next_value_seed(Results(self.0))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Results<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the results of a CTRF document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "tests" => map.next_value_seed(Tests(self.0))?,
                "tool" => self.0.context.tool(&map.next_value_seed(Bounded)?.0),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Tests<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of tests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tests: A) -> Result<(), A::Error> {
        self.0.listed = true;
        while let Some((test, over)) = tests.next_element_seed(Bounded)? {
            self.0.shortened += u64::from(over);
            if let Err(error) = self.0.test(&test) {
                self.0.refused = Some(error);
                return Err(A::Error::custom("nobody takes what is read"));
            }
        }
        Ok(())
    }
}
