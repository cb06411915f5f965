//! Times as tools write them: `0.012`, `1,234.5`, `1,5`, `1.5s`, `-1`, `NaN`.

use muletrain_proto::seconds::Seconds;

/// A length of time. A comma before exactly three digits separates thousands, as the schema of
/// Surefire has it; any other is a decimal comma. What is below zero is zero, as clocks may go
/// backwards; what is no finite number is unknown.
#[must_use]
pub fn duration(text: &str) -> Option<Seconds> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return known(seconds);
    }
    let (number, scale) = match text.strip_suffix('s').map(str::trim_end) {
        Some(number) => match number.strip_suffix('m') {
            Some(number) => (number.trim_end(), 1e-3),
            None => (number, 1.0),
        },
        None => (text, 1.0),
    };
    let plain = match separates_thousands(number) {
        true => number.replace(',', ""),
        false => number.replacen(',', ".", 1),
    };
    known(plain.parse::<f64>().ok()? * scale)
}

fn known(seconds: f64) -> Option<Seconds> {
    seconds.is_finite().then(|| Seconds::new(seconds.max(0.0)).ok())?
}

fn separates_thousands(number: &str) -> bool {
    let whole = number.split('.').next().unwrap_or(number);
    let mut groups = whole.split(',').skip(1).peekable();
    groups.peek().is_some()
        && groups.all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()))
}

/// As every profile writes it.
#[must_use]
pub fn decimals(seconds: Seconds) -> String {
    format!("{:.3}", seconds.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_dialect_are_read() {
        for (text, seconds) in [
            ("0.012", Some(0.012)),
            ("1,234.5", Some(1234.5)),
            ("1,234", Some(1234.0)),
            ("1,234,567.25", Some(1_234_567.25)),
            ("1,5", Some(1.5)),
            ("0,0125", Some(0.0125)),
            ("1.5s", Some(1.5)),
            ("250 ms", Some(0.25)),
            (" 2 ", Some(2.0)),
            ("1e-3", Some(0.001)),
            ("-1", Some(0.0)),
            ("-0.0", Some(0.0)),
            ("NaN", None),
            ("inf", None),
            ("1e400", None),
            ("", None),
            ("soon", None),
            ("1,2,3", None),
        ] {
            assert_eq!(duration(text).map(Seconds::get), seconds, "{text:?}");
        }
    }
}
