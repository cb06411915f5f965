//! CTRF documents, test by test.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::junit::Sink;
use super::source::Source;
use super::{Damage, Reading};
use crate::pure::junit::{Element, Part};
use crate::pure::read::ctrf::{self, Context};

/// Largest test that is read.
const TEST_LIMIT: u64 = 64 << 20;

/// Reads a document to its end, or as far as it goes.
///
/// # Errors
/// Whatever the sink says. What is wrong with the document is part of the reading.
pub fn read<R: Read>(mut source: Source<R>, sink: Sink<'_>) -> io::Result<Reading> {
    source.limit(TEST_LIMIT);
    let source = RefCell::new(source);
    let mut state = State {
        source: &source,
        sink,
        context: Context::default(),
        open: None,
        cases: 0,
        listed: false,
        refused: None,
    };
    (state.sink)(Part::Root(Element::new("testsuites")))?;
    let mut json = serde_json::Deserializer::from_reader(Shared(&source));
    let read = Document(&mut state).deserialize(&mut json).and_then(|()| json.end());
    if let Some(error) = state.refused.take() {
        return Err(error);
    }
    if state.open.is_some() {
        (state.sink)(Part::Close)?;
    }
    let byte = source.borrow().taken;
    let damage = match read {
        Err(error) => Some(Damage { byte, reason: error.to_string() }),
        Ok(()) if !state.listed => {
            Some(Damage { byte: 0, reason: "it is JSON, but without a list of results".to_owned() })
        }
        Ok(()) => None,
    };
    Ok(Reading { damage, notes: Vec::new(), cases: state.cases })
}

/// The source, while its reader is asked how far it is.
struct Shared<'a, R>(&'a RefCell<Source<R>>);

impl<R: Read> Read for Shared<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

struct State<'a, R> {
    source: &'a RefCell<Source<R>>,
    sink: Sink<'a>,
    context: Context,
    /// The suite that is open.
    open: Option<String>,
    cases: u64,
    /// Whether there was a list of tests.
    listed: bool,
    refused: Option<io::Error>,
}

impl<R: Read> State<'_, R> {
    fn test(&mut self, test: &Value) -> io::Result<()> {
        self.source.borrow_mut().mark();
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
        (self.sink)(Part::Case(ctrf::case(test)))
    }
}

struct Document<'s, 'a, R>(&'s mut State<'a, R>);
struct Results<'s, 'a, R>(&'s mut State<'a, R>);
struct Tests<'s, 'a, R>(&'s mut State<'a, R>);

/// A seed that visits a value of one kind.
macro_rules! seed {
    ($name:ident, $kind:ident) => {
        impl<'de, R: Read> DeserializeSeed<'de> for $name<'_, '_, R> {
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

impl<'de, R: Read> Visitor<'de> for Document<'_, '_, R> {
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

impl<'de, R: Read> Visitor<'de> for Results<'_, '_, R> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the results of a CTRF document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "tests" => map.next_value_seed(Tests(self.0))?,
                "tool" => self.0.context.tool(&map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

impl<'de, R: Read> Visitor<'de> for Tests<'_, '_, R> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of tests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tests: A) -> Result<(), A::Error> {
        self.0.listed = true;
        while let Some(test) = tests.next_element::<Value>()? {
            if let Err(error) = self.0.test(&test) {
                self.0.refused = Some(error);
                return Err(A::Error::custom("nobody takes what is read"));
            }
        }
        Ok(())
    }
}
