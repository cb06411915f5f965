//! Lists of paths and what belongs to them, as bytes that are kept: fields end in a NUL byte,
//! which no path has, so every path there can be is kept as it is.

/// Writes records of the same number of fields, none of which may hold a NUL byte. `purpose`
/// keeps files made for different things, and of different versions, apart.
pub fn write<T: AsRef<[u8]>, const FIELDS: usize>(
    purpose: &str,
    records: impl IntoIterator<Item = [T; FIELDS]>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut field = |text: &[u8]| {
        bytes.extend_from_slice(text);
        bytes.push(0);
    };
    field(purpose.as_bytes());
    records.into_iter().flatten().for_each(|text| field(text.as_ref()));
    bytes
}

/// Reads what [`write`] wrote for the same purpose; none where it is anything else.
#[must_use]
pub fn read<'a, const FIELDS: usize>(
    purpose: &str,
    bytes: &'a [u8],
) -> Option<Vec<[&'a [u8]; FIELDS]>> {
    let rest = bytes.strip_prefix(purpose.as_bytes())?.strip_prefix(&[0])?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let fields: Vec<&[u8]> = rest.strip_suffix(&[0])?.split(|byte| *byte == 0).collect();
    let (records, rest) = fields.as_chunks::<FIELDS>();
    rest.is_empty().then(|| records.to_vec())
}

/// A field that is a number in decimal.
#[must_use]
pub fn number<T: std::str::FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_cut_off_or_meant_for_something_else_is_not_read() {
        let bytes = write("a 1", [["x", "y"], ["", "z"]]);
        let records: [[&[u8]; 2]; 2] = [[b"x", b"y"], [b"", b"z"]];
        assert_eq!(read::<2>("a 1", &bytes).unwrap(), records);
        assert_eq!(read::<2>("a 2", &bytes), None);
        assert_eq!(read::<3>("a 1", &bytes), None);
        assert_eq!(read::<2>("a 1", &bytes[..bytes.len() - 1]), None);
        assert_eq!(read::<2>("a 1", &write("a 1", [] as [[&str; 2]; 0])), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = read::<3>("", &bytes);
            let _ = number::<u64>(&bytes);
        }
    }
}
