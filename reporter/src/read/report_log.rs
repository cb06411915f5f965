//! Logs of pytest-reportlog, line by line.

use std::io::{self, BufReader, Read};

use serde::de::IgnoredAny;
use serde_json::Value;

use super::junit::Sink;
use super::lines::{Line, next_within};
use super::shorten::{Shorten, Text};
use super::source::Source;
use super::{Damage, Keep, Reading, left_out};
use crate::pure::junit::{Element, Part};
use crate::pure::read::report_log::Log;
use crate::pure::read::value::{LIMIT, bounded};
use crate::pure::text::plural;

/// Reads a log to its end, or as far as it goes.
///
/// # Errors
/// Whatever the sink says. What is wrong with the log is part of the reading.
pub fn read<R: Read>(source: Source<R>, keep: Keep, sink: Sink<'_>) -> io::Result<Reading> {
    sink(Part::Root(Element::new("testsuites")))?;
    sink(Part::Open(Element::new("testsuite").with("name", "pytest")))?;
    let mut lines = BufReader::new(Shorten::new(source, Text::Lines));
    let mut reader = Reader { log: Log::default(), keep, sink, cases: 0, shortened: 0, parts: 0 };
    let (mut bad, mut long, mut damage) = (0, 0, None);
    loop {
        let line = match next_within(LIMIT as u64, &mut lines) {
            Ok(Line::Whole(line)) => line,
            Ok(Line::End) => break,
            Ok(Line::CutOff(line)) if serde_json::from_slice::<IgnoredAny>(&line).is_ok() => line,
            Ok(Line::CutOff(_)) => {
                let reason = "its last line was cut off".to_owned();
                damage = Some(Damage { byte: lines.get_ref().inner().taken, reason });
                break;
            }
            Ok(Line::TooLong) => {
                long += 1;
                continue;
            }
            Err(error) => {
                damage = Some(Damage::at(lines.get_ref().inner().taken, &error));
                break;
            }
        };
        match value(&line) {
            Ok((line, over)) => {
                reader.shortened += u64::from(over);
                let cases = reader.log.line(&line);
                reader.give(cases)?;
            }
            Err(_) => bad += 1,
        }
    }
    if bad + long > 0 {
        let bad = (bad > 0).then(|| format!("{} cannot be read", plural(bad, "line")));
        let long = (long > 0).then(|| format!("{} longer than 16 MiB", plural(long, "line")));
        let reason = bad.into_iter().chain(long).collect::<Vec<_>>().join(", ");
        damage.get_or_insert(Damage { byte: 0, reason });
    }
    if !reader.log.is_finished() {
        let reason = "the session did not say that it ended".to_owned();
        damage.get_or_insert(Damage { byte: lines.get_ref().inner().taken, reason });
    }
    let unfinished = reader.log.unfinished();
    reader.give(unfinished)?;
    (reader.sink)(Part::Close)?;
    let notes = left_out(reader.shortened, reader.parts + reader.log.left_out);
    Ok(Reading { damage, notes, cases: reader.cases })
}

fn value(line: &[u8]) -> serde_json::Result<(Value, bool)> {
    let mut json = serde_json::Deserializer::from_slice(line);
    let value = bounded(&mut json)?;
    json.end().map(|()| value)
}

struct Reader<'a> {
    log: Log,
    keep: Keep,
    sink: Sink<'a>,
    cases: u64,
    /// Lines that said too much.
    shortened: u64,
    /// Elements that were too many.
    parts: u64,
}

impl Reader<'_> {
    fn give(&mut self, cases: Vec<Element>) -> io::Result<()> {
        for mut case in cases {
            self.cases += 1;
            self.parts += self.keep.bound(&mut case);
            (self.sink)(Part::Case(case))?;
        }
        Ok(())
    }
}
