//! Lines of a journal without detours: those of tests, which are nearly all of them.
//!
//! What is not written just as the scheduler writes it is left to the reader that takes anything.

use memchr::memchr2;
use muletrain_proto::event::{Event, Finished, Planned};
use muletrain_proto::id::{LeaseId, TestId};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::journal::{Entry, Error, Record, read_entry};
use muletrain_proto::outcome::{Failure, Output};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;
use serde::Deserialize;

/// Reads a line, as [`read_entry`] does.
///
/// # Errors
/// When it is no entry.
pub(super) fn entry(line: &str) -> Result<Entry, Error> {
    if let Some(entry) = plain(line) {
        return Ok(entry);
    }
    let is = |kind: &str| line.get(..300).unwrap_or(line).contains(kind);
    let entry = match () {
        () if is("\"type\":\"finished\"") => typed::<Told>(line),
        () if is("\"type\":\"planned\"") => typed::<Loaded>(line),
        () => None,
    };
    entry.map_or_else(|| read_entry(line), Ok)
}

fn typed<'a, E: Deserialize<'a> + Into<Event>>(line: &'a str) -> Option<Entry> {
    let Observed { number, at, lease, sequence, event, record: Tag::Observed } =
        serde_json::from_str::<Observed<E>>(line).ok()?;
    Some(Entry { number, at, record: Record::Observed { lease, sequence, event: event.into() } })
}

#[derive(Deserialize)]
struct Observed<E> {
    number: u64,
    at: u64,
    record: Tag,
    lease: LeaseId,
    sequence: u64,
    event: E,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tag {
    Observed,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OfFinished {
    Finished,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OfPlanned {
    Planned,
}

/// A test that ended, in one piece.
#[derive(Deserialize)]
struct Told {
    r#type: OfFinished,
    test: TestId,
    r#try: u32,
    verdict: Verdict,
    seconds: Seconds,
    reason: Option<String>,
    #[serde(default)]
    failures: Vec<Failure>,
    #[serde(default)]
    output: String,
    #[serde(default)]
    output_omitted: u64,
}

impl From<Told> for Event {
    fn from(told: Told) -> Self {
        let Told {
            test, r#try, verdict, seconds, reason, failures, output, output_omitted, ..
        } = told;
        let OfFinished::Finished = told.r#type;
        let output = Output { text: output, omitted: output_omitted };
        Self::Finished(Finished { test, r#try, verdict, seconds, reason, failures, output })
    }
}

/// What a pod is going to run.
#[derive(Deserialize)]
struct Loaded {
    r#type: OfPlanned,
    inventory: Inventory,
    missing: Vec<TestId>,
    seconds: Seconds,
}

impl From<Loaded> for Event {
    fn from(loaded: Loaded) -> Self {
        let Loaded { inventory, missing, seconds, r#type: OfPlanned::Planned } = loaded;
        Self::Planned(Planned { inventory, missing, seconds })
    }
}

/// A test that begins, or that ended with little to say, in any order of fields.
fn plain(line: &str) -> Option<Entry> {
    let mut cursor = Cursor { bytes: line.as_bytes(), at: 0 };
    let (mut number, mut at, mut lease, mut sequence) = (None, None, None, None);
    let (mut record, mut event) = (None, None);
    cursor.object(|cursor, field| match field {
        b"number" => set(&mut number, cursor.integer()?),
        b"at" => set(&mut at, cursor.integer()?),
        b"record" => set(&mut record, cursor.text()?),
        b"lease" => set(&mut lease, u32::try_from(cursor.integer()?).ok()?),
        b"sequence" => set(&mut sequence, cursor.integer()?),
        b"event" if record == Some("observed") => set(&mut event, of_test(cursor)?),
        _ => None,
    })?;
    if cursor.at != cursor.bytes.len() {
        return None;
    }
    let (lease, sequence, event) = (LeaseId(lease?), sequence?, event?);
    let record = Record::Observed { lease, sequence, event };
    Some(Entry { number: number?, at: at?, record })
}

fn of_test(cursor: &mut Cursor<'_>) -> Option<Event> {
    let (mut kind, mut test, mut number, mut verdict, mut seconds) = (None, None, None, None, None);
    let (mut reason, mut output) = (None, None);
    cursor.object(|cursor, field| match field {
        b"type" => set(&mut kind, cursor.text()?),
        b"test" => set(&mut test, cursor.text()?),
        b"try" => set(&mut number, u32::try_from(cursor.integer()?).ok()?),
        b"verdict" => set(&mut verdict, of_word(cursor.text()?)?),
        b"seconds" => set(&mut seconds, cursor.seconds()?),
        b"reason" => set(&mut reason, cursor.text()?),
        b"output" => set(&mut output, cursor.text()?),
        _ => None,
    })?;
    let (test, r#try) = (TestId::new(test?).ok()?, number?);
    let silent = reason.is_none() && output.is_none();
    match kind? {
        "started" if silent && verdict.is_none() && seconds.is_none() => {
            Some(Event::Started { test, r#try })
        }
        "finished" => Some(Event::Finished(Finished {
            test,
            r#try,
            verdict: verdict?,
            seconds: seconds?,
            reason: reason.map(str::to_owned),
            failures: Vec::new(),
            output: Output { text: output.unwrap_or_default().to_owned(), omitted: 0 },
        })),
        _ => None,
    }
}

fn of_word(word: &str) -> Option<Verdict> {
    Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == word)
}

/// A field that comes twice is left to others.
fn set<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// JSON without white space and escapes.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn object(&mut self, mut field: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        self.byte(b'{')?;
        loop {
            let name = self.string()?;
            self.byte(b':')?;
            field(self, name)?;
            match self.bytes.get(self.at)? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        let found = *self.bytes.get(self.at)? == wanted;
        self.at += 1;
        found.then_some(())
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        self.byte(b'"')?;
        let rest = &self.bytes[self.at..];
        let end = memchr2(b'"', b'\\', rest)?;
        if rest[end] != b'"' || rest[..end].iter().any(|byte| *byte < b' ') {
            return None;
        }
        self.at += end + 1;
        Some(&rest[..end])
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.string()?).ok()
    }

    /// Digits, as JSON has them.
    fn digits(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn integer(&mut self) -> Option<u64> {
        let digits = self.digits();
        let is_short = (1..=18).contains(&digits.len());
        (is_short && (digits.len() == 1 || digits[0] != b'0'))
            .then(|| digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    }

    fn seconds(&mut self) -> Option<Seconds> {
        let start = self.at;
        self.integer()?;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits().is_empty() {
                return None;
            }
        }
        let text = std::str::from_utf8(&self.bytes[start..self.at]).ok()?;
        Seconds::new(text.parse().ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str =
        r#"{"number":4,"at":17,"record":"observed","lease":1,"sequence":9,"event":"#;

    #[test]
    fn lines_mean_the_same_in_every_reader() {
        for event in [
            r#"{"type":"started","test":"a.T.b","try":1}}"#,
            r#"{"try":2,"test":"größe","type":"started"}}"#,
            r#"{"type":"finished","test":"a","try":1,"verdict":"passed","seconds":0.003}}"#,
            r#"{"type":"finished","test":"a","try":1,"verdict":"expected_failure","seconds":2}}"#,
            r#"{"type":"finished","test":"a","try":1,"verdict":"skipped","seconds":1e-3,"reason":"no"}}"#,
            r#"{"type":"finished","test":"a","try":1,"verdict":"passed","seconds":0.1,"output":"x\ny"}}"#,
            r#"{"type":"finished","test":"a","try":1,"verdict":"passed","seconds":0.1,"output":"x","output_omitted":3}}"#,
            r#"{"type":"finished","test":"a","try":1,"verdict":"failed","seconds":0.1,"failures":[{"kind":"failure","exception":"E","message":"m","traceback":"t\n"}]}}"#,
            r#"{"type":"planned","inventory":{"classes":[]},"missing":["a"],"seconds":1.5}}"#,
            r#"{"type":"done","grant":1}}"#,
        ] {
            let line = format!("{START}{event}");
            assert_eq!(entry(&line).unwrap(), read_entry(&line).unwrap(), "{line}");
        }
        assert!(plain(&format!(r#"{START}{{"type":"started","test":"a","try":1}}}}"#)).is_some());
    }

    #[test]
    fn what_is_refused_is_refused_by_every_reader() {
        for event in [
            r#"{"type":"started","test":"","try":1}}"#,
            r#"{"type":"started","test":"a","try":01}}"#,
            r#"{"type":"started","test":"a","try":4294967296}}"#,
            r#"{"type":"finished","test":"a","try":1,"verdict":"perfect","seconds":0.1}}"#,
            r#"{"type":"finished","test":"a","try":1,"verdict":"passed","seconds":-1}}"#,
            r#"{"type":"finished","test":"a","try":1,"verdict":"passed"}}"#,
            r#"{"type":"finished","test":"a","try":1,"verdict":"passed","seconds":0.}}"#,
            r#"{"type":"started","test":"a","try":1}"#,
            r#"{"type":"started","test":"a","try":1}}}"#,
        ] {
            let line = format!("{START}{event}");
            assert!(entry(&line).is_err() && read_entry(&line).is_err(), "{line}");
        }
    }

    #[test]
    fn every_verdict_has_the_word_that_is_written() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.as_str());
        }
    }
}
