//! Rules about where files are.

use crate::repository::Repository;
use crate::{Violation, accepts_together, catches_together, holds_together};

/// Crates, one folder each.
pub(crate) const CRATES: [&str; 6] =
    ["builder", "scheduler", "agent", "reporter", "proto", "tests"];

/// What the root holds besides crates and configuration of tools.
const DOCUMENTS: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"];

fn top_level(repository: &Repository) -> Vec<Violation> {
    let known = |top: &str| top.starts_with('.') || CRATES.contains(&top);
    let strays = repository.files.iter().filter(|file| file.top().is_some_and(|top| !known(top)));
    strays.map(|file| Violation::of(file, "is in no folder of a crate")).collect()
}

#[test]
fn top_level_folders_are_the_crates() {
    catches_together(top_level, &[("docs/guide.md", "")]);
    catches_together(top_level, &[("xtask/src/main.rs", "")]);
    accepts_together(top_level, &[("agent/src/lib.rs", ""), (".ci/run", ""), ("LICENSE", "")]);
    holds_together(top_level);
}

fn documents(repository: &Repository) -> Vec<Violation> {
    let missing = |path: &&str| repository.get(path).is_none_or(|file| file.text.is_empty());
    let absent = DOCUMENTS.iter().filter(|path| missing(path));
    absent
        .map(|path| Violation {
            place: (*path).to_owned(),
            line: 1,
            problem: "is not there, or empty".to_owned(),
        })
        .collect()
}

#[test]
fn the_root_has_its_documents() {
    let mut all = DOCUMENTS.map(|path| (path, "text"));
    accepts_together(documents, &all);
    catches_together(documents, &all[1..]);
    all[4].1 = "";
    catches_together(documents, &all);
    holds_together(documents);
}
