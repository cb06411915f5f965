//! How much of a case is kept, whatever kind of file it came from: a document that is made of cases
//! within these limits is read again as it is.

use super::Element;
use super::clip::clip;
use crate::pure::text::xml_character;

/// Elements in one case, or in one element beside the cases.
pub const ELEMENTS: usize = 10_000;

/// Bytes of text in one case, over all its elements.
pub const TEXT: usize = 16 << 20;

/// An attribute is held whole by whoever reads it, so less of it is kept than of a text.
const SHARE: usize = 4;

/// Keeps a case within the limits, with at most so many bytes of each text. Gives back how many
/// elements had to go.
pub fn bound(case: &mut Element, text: usize) -> u64 {
    let mut limits = Limits { each: text, elements: 0, text: 0, left_out: 0 };
    limits.element(case);
    limits.left_out
}

struct Limits {
    each: usize,
    elements: usize,
    text: usize,
    left_out: u64,
}

impl Limits {
    /// In the order in which a document is read: what is left for an element is known where it
    /// begins, and what it took where it ends.
    fn element(&mut self, element: &mut Element) {
        self.elements += 1;
        let limit = self.each.min(TEXT.saturating_sub(self.text));
        for (_, value) in &mut element.attributes {
            fit(value, self.each / SHARE);
        }
        element.children.retain_mut(|child| {
            let fits = self.elements < ELEMENTS;
            match fits {
                true => self.element(child),
                false => self.left_out += 1,
            }
            fits
        });
        fit(&mut element.text, limit);
        self.text += written(&element.text);
    }
}

/// A text is as long as it is written: a control character takes more room as a picture.
fn fit(text: &mut String, limit: usize) {
    if written(text) > limit {
        *text = clip(&text.chars().map(shown).collect::<String>(), limit);
    }
}

fn written(text: &str) -> usize {
    match text.bytes().any(|byte| byte < b' ' || byte == 0xef) {
        true => text.chars().map(|one| shown(one).len_utf8()).sum(),
        false => text.len(),
    }
}

fn shown(character: char) -> char {
    if character == '\r' { character } else { xml_character(character) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_within_the_limits_stays_as_it_is_and_no_other_outgrows_them() {
        let text = |size: usize| Element::new("system-out").with_text("\u{1b}".repeat(size));
        let mut small = Element::new("testcase").with("name", "\0").with_child(text(1000));
        let before = small.clone();
        assert_eq!((bound(&mut small, 4000), small), (0, before));
        let mut large = Element::new("testcase").with_child(text(4000));
        bound(&mut large, 4000);
        let once = large.children[0].text.clone();
        assert!(once.len() <= 4000 && once.starts_with("␛␛") && once.ends_with("␛␛"), "{once}");
        bound(&mut large, 4000);
        assert_eq!(large.children[0].text, once);
        let mut many = Element::new("testcase");
        many.children = vec![Element::new("odd"); ELEMENTS + 5];
        assert_eq!((bound(&mut many, 4000), many.children.len()), (6, ELEMENTS - 1));
    }
}
