//! Rules about the documents at the root.

use crate::manifests::third_party;
use crate::repository::{File, Repository};
use crate::{
    Violation, accepts, accepts_together, catches, catches_together, holds, holds_together,
};

fn changelog(file: &File) -> Vec<Violation> {
    let has = |heading| file.text.lines().any(|line| line == heading);
    match file.path == "CHANGELOG.md" && !(has("# Changelog") && has("## [Unreleased]")) {
        true => vec![Violation::of(file, "has no `## [Unreleased]` under `# Changelog`")],
        false => vec![],
    }
}

#[test]
fn the_changelog_has_a_place_for_the_next_entry() {
    catches(changelog, "CHANGELOG.md", "# Changelog\n\n## 0.1.0\n");
    accepts(changelog, "CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n");
    holds(changelog);
}

/// `ARCHITECTURE.md` has a line for every dependency, and none for what is none any more.
fn reasons(repository: &Repository) -> Vec<Violation> {
    let Some(document) = repository.get("ARCHITECTURE.md") else { return vec![] };
    let used = third_party(repository);
    let given: Vec<(usize, &str)> = (1..)
        .zip(document.text.lines())
        .skip_while(|(_, line)| *line != "## Dependencies")
        .filter_map(|(number, line)| Some((number, line.strip_prefix("| `")?.split_once('`')?.0)))
        .collect();
    let lacking = used.iter().filter(|name| !given.iter().any(|(_, other)| other == name));
    let stale = given.iter().filter(|(_, name)| !used.contains(*name));
    lacking
        .map(|name| Violation::of(document, format!("no reason is given for `{name}`")))
        .chain(stale.map(|(number, name)| {
            Violation::at(document, *number, format!("nothing depends on `{name}`"))
        }))
        .collect()
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = "[dependencies]\nserde.workspace = true\nmuletrain-proto.workspace = true\n";
    let with = |document| [("agent/Cargo.toml", manifest), ("ARCHITECTURE.md", document)];
    catches_together(reasons, &with("## Dependencies\n\nWe use serde.\n"));
    catches_together(reasons, &with("| `serde` | before the heading |\n\n## Dependencies\n"));
    catches_together(reasons, &with("## Dependencies\n\n| `serde` | x |\n| `rand` | gone |\n"));
    accepts_together(reasons, &with("## Dependencies\n\n| `serde` | domain types as JSON |\n"));
    holds_together(reasons);
}
