//! Files that pods leave behind, and the names under which they travel.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::blob::Digest;

/// Longest name of a file, in bytes.
const NAME_LIMIT: usize = 1024;

/// Longest part of it between two slashes, in bytes: what file systems take.
const PART_LIMIT: usize = 255;

/// A file that a pod left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its name, unique in its lease.
    pub name: Name,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Kind::is_file")]
    pub kind: Kind,
    /// Bytes it had in the pod.
    pub size: u64,
    /// Names its bytes; none where they are not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Bytes cut off its end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// Why it is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The user asked for it.
    #[default]
    File,
    /// What one process measured of its coverage.
    Coverage,
    /// A report on the coverage of the whole run.
    Report,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::File, Self::Coverage, Self::Report];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    fn is_file(&self) -> bool {
        *self == Self::File
    }
}

/// A relative path, `/`-separated, that cannot leave the folder it is put in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is not the name of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is too long, or nothing.
    #[error("the name of an artifact has {length} bytes, it may have 1 to {NAME_LIMIT}")]
    Length {
        /// Bytes it has.
        length: usize,
    },
    /// It would be a path to somewhere else, or none at all.
    #[error("{name:?} cannot be the name of an artifact, which is a path inside a folder")]
    Path {
        /// As given.
        name: String,
    },
}

impl Name {
    /// Checks a text and makes it a name.
    ///
    /// # Errors
    /// When it is absolute, climbs, or holds what a file system cannot name.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let name = text.into();
        if name.is_empty() || name.len() > NAME_LIMIT {
            return Err(Error::Length { length: name.len() });
        }
        let is_part = |part: &str| {
            !["", ".", ".."].contains(&part)
                && part.len() <= PART_LIMIT
                && !part.contains(|character: char| character.is_control() || character == '\\')
        };
        match name.split('/').all(is_part) {
            true => Ok(Self(name)),
            false => Err(Error::Path { name }),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_folder() {
        for name in ["", "/etc/passwd", "..", "a/../b", "a//b", "./a", "a/", "a\\b", "a\0b", "a\nb"]
        {
            assert!(Name::new(name).is_err(), "{name:?}");
        }
        assert!(Name::new("x".repeat(PART_LIMIT + 1)).is_err());
        assert!(Name::new("a/".repeat(NAME_LIMIT)).is_err());
        for name in ["a", "screenshots/größe 1.png", "..a/b..", ".coverage.host.1"] {
            assert_eq!(Name::new(name).unwrap().as_str(), name);
        }
        assert!(serde_json::from_str::<Name>("\"../x\"").is_err());
    }
}
