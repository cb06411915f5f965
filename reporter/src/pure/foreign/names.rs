//! Names in other tools' results: made ids, and told apart where two things share one.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use muletrain_proto::id::{AgentId, AppLabel, ClassId, TestId};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use crate::pure::summary::Moment;
use crate::pure::unique::Unique;

/// Longest name that is kept, in bytes.
const LONGEST: usize = 4000;

/// Names and results that were seen, the latter by their hashes.
#[derive(Debug, Default)]
pub(super) struct Names {
    used: Unique,
    results: HashMap<u64, (Verdict, u64)>,
    /// Results that were seen before, to the last digit.
    pub(super) twice: u64,
}

impl Names {
    /// The id, with a number where it was used before: `name #2`.
    pub(super) fn unique(&mut self, id: &TestId) -> TestId {
        // The number of a long name is behind what it was cut to, so it is not cut off again.
        let name = self.used.name(None, id.as_str());
        TestId::new(name).expect("a name with a number is a name")
    }

    /// Whether the result at this place is one that was given before. Suites are the same where
    /// they have the same name, host and moment; what has no moment cannot be told.
    pub(super) fn is_twin(
        &mut self,
        place: u64,
        verdict: Verdict,
        seconds: Option<Seconds>,
    ) -> bool {
        let result = (verdict, seconds.unwrap_or_default().get().to_bits());
        let twin = self.results.insert(place, result) == Some(result);
        self.twice += u64::from(twin);
        twin
    }
}

pub(super) fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What tells a suite from every other one.
pub(super) fn identity(name: &str, host: Option<&str>, timestamp: Option<&str>) -> Option<u64> {
    timestamp.map(|timestamp| hash(&(name, host, timestamp)))
}

/// A test of a class.
pub(super) fn test(class: &ClassId, name: &str) -> TestId {
    named(&format!("{class}.{name}"))
}

pub(super) fn class(name: &str) -> ClassId {
    ClassId::new(fit(name)).expect("a fitted name is a name")
}

pub(super) fn app(name: &str) -> AppLabel {
    AppLabel::new(fit(name)).expect("a fitted name is a name")
}

/// A host, by as much of its name as can be one.
pub(super) fn agent(host: &str) -> Option<AgentId> {
    let plain =
        |one: char| if one.is_ascii_alphanumeric() || "-_.".contains(one) { one } else { '-' };
    let name: String = host.chars().map(plain).take(128).collect();
    AgentId::new(name.trim_start_matches(['.', '-'])).ok()
}

fn named(name: &str) -> TestId {
    TestId::new(fit(name)).expect("a fitted name is a name")
}

/// A text that any name may be: not empty, not too long, without NUL.
fn fit(name: &str) -> String {
    if name.is_empty() {
        return "(unnamed)".to_owned();
    }
    let mut text = name.replace('\0', "␀");
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A moment as other tools write it; without a zone it is taken as UTC.
pub(super) fn moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    let stamp = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let local: jiff::civil::DateTime = text.parse().ok()?;
        Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })?;
    u64::try_from(stamp.as_millisecond()).ok()
}
