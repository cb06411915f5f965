//! Files that stay out of a snapshot, and why.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// Files of one kind that a note names.
const NAMED: usize = 5;

/// Why a file stays out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A private key.
    Key,
    /// Its name is one of secrets.
    SecretName,
    /// A link out of the project.
    OutsideLink,
    /// Layers of images would take it for a mark that hides other files.
    Mark,
    /// A device, a socket, a pipe.
    Special,
    /// A repository that is no submodule.
    Repository,
    /// A submodule that is not here.
    Submodule,
    /// A folder that cannot be read.
    Closed,
    /// Git ignores it.
    Ignored,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Key => "not tracked by git and a private key",
            Self::SecretName => "not tracked by git and named like a file of secrets",
            Self::OutsideLink => "a link that leads out of the project",
            Self::Mark => "a name with .wh. hides other files in images, which cannot hold it",
            Self::Special => "neither a file nor a link",
            Self::Repository => "a git repository of its own that is no submodule",
            Self::Submodule => {
                "a submodule that is not checked out; run git submodule update --init"
            }
            Self::Closed => "a folder that cannot be read; make it readable or let git ignore it",
            Self::Ignored => "ignored by git",
        })
    }
}

/// Files that stay out, by the reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOut(pub BTreeMap<Reason, Vec<PathBuf>>);

impl LeftOut {
    /// Adds a file.
    pub fn add(&mut self, path: PathBuf, reason: Reason) {
        self.0.entry(reason).or_default().push(path);
    }

    /// What a user should hear of it, naming a few files for each reason.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let told = self.0.iter().filter(|(reason, _)| **reason != Reason::Ignored);
        told.map(|(reason, paths)| format!("left out {}: {reason}", few(paths))).collect()
    }
}

/// The first of some paths, and how many more there are.
#[must_use]
pub fn few(paths: &[PathBuf]) -> String {
    let named: Vec<String> = paths.iter().take(NAMED).map(|it| it.display().to_string()).collect();
    match paths.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_names_a_few_files() {
        let mut left_out = LeftOut::default();
        (0..7).for_each(|n| left_out.add(PathBuf::from(format!("{n}.key")), Reason::SecretName));
        left_out.add("link".into(), Reason::OutsideLink);
        left_out.add("venv".into(), Reason::Ignored);
        insta::assert_snapshot!(left_out.notes().join("\n"), @r"
        left out 0.key, 1.key, 2.key, 3.key, 4.key and 2 more: not tracked by git and named like a file of secrets
        left out link: a link that leads out of the project
        ");
    }
}
