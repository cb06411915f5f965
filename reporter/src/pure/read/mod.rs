//! What single pieces of other tools' results say, as cases.

pub mod ctrf;
pub mod report_log;
pub mod value;

use crate::pure::junit::Element;

/// A moment in milliseconds since 1970 as ISO 8601 in UTC; one beyond the calendar is the epoch.
#[must_use]
pub fn timestamp(milliseconds: i64) -> String {
    let stamp = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    stamp.strftime("%Y-%m-%dT%H:%M:%S.%3f+00:00").to_string()
}

/// A result with its type, message and text.
fn result(name: &str, kind: &str, message: &str, text: &str) -> Element {
    Element::new(name).with("type", kind).with("message", message).with_text(text)
}
