//! An element and all that is in it, put together within limits.

use quick_xml::events::BytesStart;

use super::notes::Notes;
use crate::pure::junit::Element;
use crate::pure::junit::clip::Clip;
use crate::pure::junit::limits::{ELEMENTS, TEXT};
use crate::pure::junit::markup::{is_name, unescape};
use crate::read::Keep;

/// Attributes of one element.
const ATTRIBUTES: usize = 1024;

/// Depth of elements in a case.
const DEPTH: usize = 32;

/// Attributes that counting needs.
const COUNTED: [&str; 3] = ["time", "status", "result"];

/// An element in the making.
pub(super) struct Builder {
    keep: Keep,
    open: Vec<(Element, Clip)>,
    /// Depth below elements that are left out.
    skipped: usize,
    elements: usize,
    text: usize,
}

impl Builder {
    pub(super) fn new(keep: Keep) -> Self {
        Self { keep, open: Vec::new(), skipped: 0, elements: 0, text: 0 }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty() || self.skipped > 0
    }

    pub(super) fn depth(&self) -> usize {
        self.open.len() + self.skipped
    }

    /// Name of the whole element.
    pub(super) fn name(&self) -> &str {
        self.open.first().map_or("", |(element, _)| &element.name)
    }

    pub(super) fn start(&mut self, name: &str, tag: &BytesStart<'_>, notes: &mut Notes) {
        if self.open.is_empty() {
            (self.elements, self.text) = (0, 0);
        }
        let counted_out = self.keep == Keep::Counts && self.open.len() > 1;
        let over = self.open.len() == DEPTH || self.elements == ELEMENTS || !is_name(name);
        if self.skipped > 0 || counted_out || over {
            notes.left_out += u64::from(over && self.skipped == 0);
            self.skipped += 1;
            return;
        }
        self.elements += 1;
        let attributes = attributes(tag, self.keep, notes);
        let limit = match self.keep {
            Keep::Everything { text } | Keep::Written { text } => {
                text.min(TEXT.saturating_sub(self.text))
            }
            Keep::Counts => 0,
        };
        let element = Element { attributes, ..Element::new(name) };
        self.open.push((element, Clip::new(limit)));
    }

    /// Where text goes; none where nobody wants it.
    pub(super) fn text(&mut self) -> Option<&mut Clip> {
        let wanted = self.skipped == 0 && self.keep != Keep::Counts;
        self.open.last_mut().map(|(_, clip)| clip).filter(|_| wanted)
    }

    /// Ends the innermost element; gives back the whole once it is complete.
    pub(super) fn end(&mut self) -> Option<Element> {
        if self.skipped > 0 {
            self.skipped -= 1;
            return None;
        }
        let (mut element, clip) = self.open.pop()?;
        // White space around children is layout.
        if element.children.is_empty() || !clip.is_blank() {
            element.text = clip.finish();
        }
        if element.name == "testcase" && element.text.trim().is_empty() {
            element.text.clear();
        }
        self.text += element.text.len();
        match self.open.last_mut() {
            Some((parent, _)) => {
                parent.children.push(element);
                None
            }
            None => Some(element),
        }
    }

    /// What there is of an element that will never be complete.
    pub(super) fn abandon(&mut self) -> Option<Element> {
        self.skipped = 0;
        std::iter::from_fn(|| (!self.open.is_empty()).then(|| self.end())).last().flatten()
    }
}

/// The attributes of a tag, each once; what is none, and what belongs to XML itself, is left out.
pub(super) fn attributes(
    tag: &BytesStart<'_>,
    keep: Keep,
    notes: &mut Notes,
) -> Vec<(String, String)> {
    let mut attributes = Vec::<(String, String)>::new();
    for (number, attribute) in tag.attributes().with_checks(false).enumerate() {
        let Ok(attribute) = attribute else {
            notes.left_out += 1;
            continue;
        };
        let name: &str = attribute.key.as_ref();
        if keep == Keep::Counts && !COUNTED.contains(&name) {
            continue;
        }
        if let Some((prefix, _)) = name.split_once(':') {
            notes.namespaced += u64::from(!["xml", "xmlns", "xsi"].contains(&prefix));
            continue;
        }
        if name == "xmlns" {
            continue;
        }
        let twice = attributes.iter().any(|(other, _)| other == name);
        if number >= ATTRIBUTES || twice || !is_name(name) {
            notes.left_out += 1;
            if number > ATTRIBUTES {
                break;
            }
            continue;
        }
        let raw = &attribute.value;
        let value = match raw.contains('\r') {
            true => unescape(&raw.replace("\r\n", "\n").replace('\r', "\n")).into_owned(),
            false => unescape(raw).into_owned(),
        };
        attributes.push((name.to_owned(), value));
    }
    attributes
}
