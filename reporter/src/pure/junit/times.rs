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

/// Adds the same to a text.
pub fn push_decimals(text: &mut String, seconds: Seconds) {
    let thousandths = seconds.get() * 1e3;
    let rest = thousandths - thousandths.floor();
    // Halves are rounded by what is beyond the precision of this.
    if thousandths > 1e9 || (rest - 0.5).abs() < 1e-4 {
        text.push_str(&decimals(seconds));
        return;
    }
    let mut number = thousandths.round() as u64;
    let mut digits = [b'0'; 16];
    let mut start = digits.len();
    while number > 0 || digits.len() - start < 5 {
        start -= 1;
        if digits.len() - start == 4 {
            digits[start] = b'.';
            continue;
        }
        digits[start] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    text.push_str(std::str::from_utf8(&digits[start..]).unwrap_or_default());
}

/// A length of time in whole microseconds.
#[must_use]
pub fn micros(text: &str) -> Option<u64> {
    plain_micros(text).or_else(|| u64::try_from(duration(text)?.duration().as_micros()).ok())
}

/// Of a time with three decimals, as most have.
fn plain_micros(text: &str) -> Option<u64> {
    let (whole, rest) = text.as_bytes().split_at_checked(text.len().checked_sub(4)?)?;
    let (point, decimals) = rest.split_first()?;
    let are_digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    if *point != b'.'
        || !(1..=6).contains(&whole.len())
        || !are_digits(whole)
        || !are_digits(decimals)
    {
        return None;
    }
    let digits = whole.iter().chain(decimals);
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')) * 1000)
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

    proptest::proptest! {
        #[test]
        fn quick_ways_give_what_slow_ways_give(
            seconds in proptest::prop_oneof![0.0..2.0, 0.0..2e6, 0.0..f64::MAX], halves in 0..4000_u32,
        ) {
            for seconds in [seconds, f64::from(halves) / 2000.0] {
                let seconds = Seconds::new(seconds).unwrap();
                let (mut text, slow) = (String::new(), decimals(seconds));
                push_decimals(&mut text, seconds);
                proptest::prop_assert_eq!(&text, &slow);
                let exact = duration(&slow).unwrap().duration().as_micros();
                proptest::prop_assert_eq!(micros(&text), u64::try_from(exact).ok());
            }
        }
    }
}
