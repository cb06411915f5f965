//! `[[suite]]`: tests that are run in one way.

use std::collections::BTreeMap;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// A suite. What is not said is detected, or as the project's other keys say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Suite {
    /// Its name, which no other suite has.
    pub name: String,
    /// What finds and runs its tests.
    pub kind: Option<SuiteKind>,
    /// Folder it is run in, relative to the project's folder.
    pub path: Option<String>,
    /// `manage.py` of a Django suite, relative to the project's folder.
    pub manage: Option<String>,
    /// Settings module of a Django or pytest suite.
    pub settings: Option<String>,
    /// Further arguments of pytest or `unittest discover`, word by word.
    pub arguments: Vec<String>,
    /// Shell command of a command suite; it finds the name of its job in `$TEST`.
    pub command: Option<String>,
    /// Shell command that prints the jobs of a command suite, one a line.
    pub list: Option<String>,
    /// Globs of the JUnit XML files that the command writes: below the suite's folder or
    /// `$WORKSPACE`.
    #[serde(deserialize_with = "one_or_several")]
    pub junit: Vec<String>,
    /// What its tests see of the environment beside `[env]`.
    pub env: BTreeMap<String, String>,
    /// What of it is run where no label is an argument; empty means all of it. Else what those of
    /// `[run]` name in it.
    pub labels: Option<Vec<String>>,
    /// Classes or globs, at least one of which must match; else those of `[run]`.
    pub include: Option<Vec<String>>,
    /// Classes or globs, none of which may match; else those of `[run]`.
    pub exclude: Option<Vec<String>>,
    /// Tags, at least one of which a test must have; else those of `[run]`.
    pub tags: Option<Vec<String>>,
    /// Tags, none of which a test may have; else those of `[run]`.
    pub exclude_tags: Option<Vec<String>>,
    /// Texts or globs, at least one of which a test's id must hold or match; else those of
    /// `[run]`.
    pub patterns: Option<Vec<String>>,
}

/// What finds and runs tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SuiteKind {
    /// `manage.py test`.
    Django,
    /// `pytest`.
    Pytest,
    /// `python -m unittest discover`.
    Unittest,
    /// A command that writes JUnit XML.
    Command,
}

impl Suite {
    /// The kind that its keys leave no doubt of.
    #[must_use]
    pub fn stated_kind(&self) -> Option<SuiteKind> {
        self.kind.or(self.command.as_ref().map(|_| SuiteKind::Command))
    }
}

/// A text, or a list of texts.
fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Texts;

    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("a text or a list of texts")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<String>, A::Error> {
            let mut texts = Vec::new();
            while let Some(text) = items.next_element()? {
                texts.push(text);
            }
            Ok(texts)
        }
    }

    deserializer.deserialize_any(Texts)
}
