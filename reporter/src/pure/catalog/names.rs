//! Names of tests, each without the class it begins with, in one text.

/// Where a name is. Three numbers in one: a run may have millions of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(u64);

/// What stands between a class and the rest of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// Nothing: all of the name is kept.
    None,
    /// As in `module.Class.method`.
    Dot,
    /// As in `path.py::Class::method`.
    Colons,
}

/// Bits of a length: names are at most 4096 bytes.
const LENGTH: u32 = 14;

/// Names, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Names {
    text: String,
}

impl Names {
    /// Keeps a name of a class.
    pub(super) fn add(&mut self, class: &str, name: &str) -> Name {
        let (joint, rest) = cut(class, name);
        let start = self.text.len() as u64;
        self.text.push_str(rest);
        let length = (rest.len() as u64) & ((1 << LENGTH) - 1);
        Name(start << (LENGTH + 2) | length << 2 | joint as u64)
    }

    /// The part of a name that its class does not say, or all of it where it says nothing.
    #[must_use]
    pub(super) fn rest(&self, name: Name) -> &str {
        let start = usize::try_from(name.0 >> (LENGTH + 2)).unwrap_or(usize::MAX);
        let length = (name.0 >> 2) & ((1 << LENGTH) - 1);
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        self.text.get(start..end).unwrap_or_default()
    }

    /// A name in its three pieces.
    #[must_use]
    pub(super) fn pieces<'a>(&'a self, class: &'a str, name: Name) -> [&'a str; 3] {
        let joint = match name.0 & 3 {
            0 => return ["", "", self.rest(name)],
            1 => ".",
            _ => "::",
        };
        [class, joint, self.rest(name)]
    }

    /// Whether it is this name.
    #[must_use]
    pub(super) fn is(&self, class: &str, name: Name, text: &str) -> bool {
        let mut rest = Some(text);
        for piece in self.pieces(class, name) {
            rest = rest.and_then(|rest| rest.strip_prefix(piece));
        }
        rest == Some("")
    }
}

fn cut<'a>(class: &str, name: &'a str) -> (Joint, &'a str) {
    let Some(rest) = name.strip_prefix(class) else { return (Joint::None, name) };
    match (rest.strip_prefix("::"), rest.strip_prefix('.')) {
        (Some(rest), _) => (Joint::Colons, rest),
        (None, Some(rest)) => (Joint::Dot, rest),
        (None, None) => (Joint::None, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_name_is_given_back_as_it_came(
            all in proptest::collection::vec(("[a.:é]{0,4}", "[a.:é]{0,8}"), 1..9)
        ) {
            let mut names = Names::default();
            let kept: Vec<Name> = all.iter().map(|(class, name)| names.add(class, name)).collect();
            for ((class, name), kept) in all.iter().zip(kept) {
                proptest::prop_assert_eq!(&names.pieces(class, kept).concat(), name);
                proptest::prop_assert!(names.is(class, kept, name));
                proptest::prop_assert!(!names.is(class, kept, &(name.clone() + "x")));
            }
        }
    }
}
