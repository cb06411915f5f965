//! Globs of users over dotted names.

use globset::{Glob, GlobMatcher};

/// A glob over dotted names: `*` stands for anything, dots included.
#[derive(Debug, Clone)]
pub struct Pattern {
    matcher: GlobMatcher,
}

/// A pattern that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("{pattern:?} is not a pattern")]
pub struct Error {
    /// As given.
    pub pattern: String,
    source: globset::Error,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        match Glob::new(pattern) {
            Ok(glob) => Ok(Self { matcher: glob.compile_matcher() }),
            Err(source) => Err(Error { pattern: pattern.to_owned(), source }),
        }
    }

    /// Whether a name is one of those it means.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.matcher.glob() == other.matcher.glob()
    }
}

impl Eq for Pattern {}
