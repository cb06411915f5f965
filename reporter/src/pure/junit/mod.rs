//! Results as JUnit documents have them, the one shape that all foreign results take: suites,
//! cases, and the elements inside of them, one at a time.

pub mod case;
pub mod clip;
pub mod limits;
pub mod markup;
pub mod profile;
pub mod split;
pub mod tally;
pub mod times;

/// An element with all that is in it. Text that stands between children is put together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// Its name, without a namespace.
    pub name: String,
    /// Names and values, in the order they came.
    pub attributes: Vec<(String, String)>,
    /// Its text.
    pub text: String,
    /// Elements in it.
    pub children: Vec<Element>,
}

/// A part of a document, in the order of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A file begins; attributes of its root.
    Root(Element),
    /// A suite begins; its attributes alone. Suites may hold suites.
    Open(Element),
    /// Something in a suite that is neither a case nor a suite, such as its properties.
    Aside(Element),
    /// A test case.
    Case(Element),
    /// A test case with nothing in it; only for who asks for those.
    Plain(Plain),
    /// The suite that was opened last ends.
    Close,
    /// What follows goes to another file.
    Break,
}

/// A test case with nothing in it, as it is counted and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// What it counts.
    pub counts: tally::Counts,
    /// Its tag; empty where nobody wants to write it.
    pub text: String,
}

impl Element {
    /// An element with nothing in it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The same with a further attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }

    /// The same with a further attribute, where there is a value for it.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same with text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// The same with a further child.
    #[must_use]
    pub fn with_child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value of an attribute that says something.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.trim().is_empty())
    }

    /// Sets an attribute, where it stands or at the end.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.attributes.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((name.to_owned(), value)),
        }
    }

    /// Children of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// A property by this name, of the element's `<properties>` or of those it is.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        let inner = self.all("properties").flat_map(|properties| properties.all("property"));
        let mut all = self.all("property").chain(inner);
        let found = all.find(|property| property.get("name") == Some(name))?;
        Some(found.get("value").unwrap_or(&found.text))
    }
}

/// A `<properties>` element with these properties.
#[must_use]
pub fn properties<'a>(all: impl IntoIterator<Item = (&'a str, String)>) -> Element {
    let property = |(name, value)| Element::new("property").with("name", name).with("value", value);
    Element { children: all.into_iter().map(property).collect(), ..Element::new("properties") }
}
