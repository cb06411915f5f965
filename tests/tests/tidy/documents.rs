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

/// Rows of the parity table that may have lapsed: what they spoke of is gone, or is not wanted.
const LAPSED: [&str; 3] = ["D7", "M38", "M39"];

/// Each row of `PARITY.md` that has not lapsed names tests that show it, and there are such tests.
fn parity(repository: &Repository) -> Vec<Violation> {
    let Some(document) = repository.get("agent/harness/PARITY.md") else { return vec![] };
    let rows: Vec<(usize, Vec<&str>)> = (1..)
        .zip(document.text.lines())
        .filter(|(_, line)| line.starts_with("| ") && !line.starts_with("| row "))
        .map(|(number, line)| (number, line.trim_matches('|').split(" | ").collect()))
        .collect();
    let expected = [("D", 7), ("M", 48), ("J", 3)]
        .into_iter()
        .flat_map(|(series, last)| (1..=last).map(move |number| format!("{series}{number}")));
    let is_there = |row: &String| rows.iter().any(|(_, cells)| cells[0].trim() == row);
    let lacking = expected.filter(|row| !is_there(row));
    let mut violations: Vec<Violation> =
        lacking.map(|row| Violation::of(document, format!("row {row} is missing"))).collect();
    for (number, cells) in &rows {
        let (row, shown_by) = (cells[0].trim(), cells.last().unwrap_or(&"").trim());
        let named: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        if named.is_empty() && !LAPSED.contains(&row) {
            violations.push(Violation::at(document, *number, format!("no test shows {row}")));
        }
        violations.extend(
            named
                .iter()
                .filter(|name| !is_test(repository, name))
                .map(|name| Violation::at(document, *number, format!("there is no test `{name}`"))),
        );
    }
    violations
}

fn is_test(repository: &Repository, name: &str) -> bool {
    let definitions = [format!("fn {name}("), format!("def {name}(")];
    let sources = repository.files.iter().filter(|file| file.is_rust() || file.is_python());
    sources
        .into_iter()
        .any(|file| definitions.iter().any(|definition| file.text.contains(definition)))
}

#[test]
fn every_row_of_parity_has_its_test() {
    let all = |shown_by: &str| {
        let rows = [("D", 7), ("M", 48), ("J", 3)].into_iter().flat_map(|(series, last)| {
            (1..=last).map(move |number| format!("| {series}{number} | so | {shown_by} |\n"))
        });
        rows.collect::<String>()
    };
    let with = |document: &str| {
        parity(&Repository::of(&[
            ("agent/harness/PARITY.md", document),
            ("agent/harness/tests/test_a.py", "def test_a():\n    pass\n"),
        ]))
    };
    assert!(with(&all("`test_a`")).is_empty());
    assert!(!with(&all("`test_b`")).is_empty());
    assert!(!with(&all("nothing")).is_empty());
    assert!(!with(&all("`test_a`").replace("| M17 |", "| M16 |")).is_empty());
    holds_together(parity);
}
