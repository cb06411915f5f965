//! Logs of pytest-reportlog, line by line.

use std::io::{self, Read};

use super::junit::Sink;
use super::lines::{Line, next_line};
use super::source::Source;
use super::{Damage, Reading};
use crate::pure::junit::{Element, Part};
use crate::pure::read::report_log::Log;
use crate::pure::text::plural;

/// Reads a log to its end, or as far as it goes.
///
/// # Errors
/// Whatever the sink says. What is wrong with the log is part of the reading.
pub fn read<R: Read>(mut source: Source<R>, sink: Sink<'_>) -> io::Result<Reading> {
    sink(Part::Root(Element::new("testsuites")))?;
    sink(Part::Open(Element::new("testsuite").with("name", "pytest")))?;
    let mut log = Log::default();
    let (mut cases, mut bad, mut damage) = (0, 0, None);
    loop {
        let line = match next_line(&mut source) {
            Ok(Line::Whole(line)) => line,
            Ok(Line::End) => break,
            Ok(Line::CutOff(line))
                if serde_json::from_slice::<serde_json::Value>(&line).is_ok() =>
            {
                line
            }
            Ok(Line::CutOff(_)) => {
                let reason = "its last line was cut off".to_owned();
                damage = Some(Damage { byte: source.taken, reason });
                break;
            }
            Ok(Line::TooLong) => {
                bad += 1;
                continue;
            }
            Err(error) => {
                damage = Some(Damage::at(source.taken, &error));
                break;
            }
        };
        match serde_json::from_slice(&line) {
            Ok(line) => {
                if let Some(case) = log.line(&line) {
                    cases += 1;
                    sink(Part::Case(case))?;
                }
            }
            Err(_) => bad += 1,
        }
    }
    let unreadable = |bad| format!("{} cannot be read", plural(bad, "line"));
    if bad > 0 {
        damage.get_or_insert(Damage { byte: 0, reason: unreadable(bad) });
    }
    if !log.is_finished() {
        let reason = "the session did not say that it ended".to_owned();
        damage.get_or_insert(Damage { byte: source.taken, reason });
    }
    for case in log.unfinished() {
        cases += 1;
        sink(Part::Case(case))?;
    }
    sink(Part::Close)?;
    Ok(Reading { damage, notes: Vec::new(), cases })
}
