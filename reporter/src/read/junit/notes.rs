//! What was odd about a document that could be read all the same.

use encoding_rs::Encoding;

use crate::pure::junit::{Element, times};
use crate::pure::text::plural;

/// What was odd, counted.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Suites that state another number of tests than they hold.
    pub(super) miscounted: u64,
    /// Attributes and elements that are beyond the limits or no XML.
    pub(super) left_out: u64,
    /// Attributes with a prefix of their own, which no document has a place for.
    pub(super) namespaced: u64,
    /// Suites nested too deep to be told apart.
    pub(super) flattened: u64,
    /// References to entities.
    pub(super) unexpanded: u64,
    /// Whether the document declares entities.
    pub(super) entities: bool,
    /// Root elements.
    pub(super) roots: u64,
    /// Times that are none.
    times: u64,
    odd_time: Option<String>,
    encoding: Option<String>,
}

impl Notes {
    /// Notes a time that cannot be read.
    pub(super) fn time(&mut self, case: &Element) {
        let Some(time) = case.get("time").filter(|time| times::duration(time).is_none()) else {
            return;
        };
        self.times += 1;
        self.odd_time.get_or_insert_with(|| time.chars().take(40).collect());
    }

    /// Notes what the encoding had to be.
    pub(super) fn encoding(
        &mut self,
        (encoding, lying): (&'static Encoding, bool),
        replaced: bool,
    ) {
        let name = encoding.name();
        self.encoding = match (lying, replaced) {
            (_, true) => Some(format!("it holds bytes that are no {name}, shown as \u{fffd}")),
            (true, false) => Some(format!("it is {name}, whatever it declares")),
            (false, false) => None,
        };
    }

    /// Each of them in words.
    pub(super) fn in_words(&self) -> Vec<String> {
        let count = |number: u64, thing: &str| {
            (number > 0).then(|| plural(usize::try_from(number).unwrap_or(usize::MAX), thing))
        };
        let notes = [
            self.encoding.clone(),
            (self.roots > 1).then(|| format!("it has {} root elements, all are read", self.roots)),
            self.entities.then(|| "it declares entities, which are never expanded".to_owned()),
            count(self.unexpanded, "reference")
                .map(|all| format!("{all} to entities kept as text")),
            count(self.miscounted, "suite")
                .map(|all| format!("{all} with another number of tests than stated; counted anew")),
            count(self.flattened, "suite").map(|all| format!("{all} nested too deep, made one")),
            count(self.left_out, "part")
                .map(|all| format!("{all} beyond the limits or broken, left out")),
            count(self.namespaced, "attribute")
                .map(|all| format!("{all} of other namespaces, left out")),
            count(self.times, "time")
                .zip(self.odd_time.as_ref())
                .map(|(all, time)| format!("{all} that cannot be read, such as {time:?}")),
        ];
        notes.into_iter().flatten().collect()
    }
}
