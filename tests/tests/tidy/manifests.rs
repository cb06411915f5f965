//! Rules about what crates depend on.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::code::words;
use crate::layout::CRATES;
use crate::repository::{File, Repository};
use crate::{
    Violation, accepts, accepts_together, catches, catches_together, holds, holds_together,
};

/// Crates that may depend on no other of the four.
const BINARIES: [&str; 4] = ["builder", "scheduler", "agent", "reporter"];

/// What muletrain is required to be built with.
const REQUIRED: [&str; 7] =
    ["clap", "bollard", "tokio", "serde_json", "tonic", "prost", "quick-xml"];

/// Named in generated code only, which is not in the repository.
const GENERATED: [&str; 1] = ["tonic-prost"];

const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// A crate's manifest, with the crate's folder.
fn manifest(file: &File) -> Option<(&str, Table)> {
    let folder = file.path.strip_suffix("/Cargo.toml").filter(|folder| CRATES.contains(folder))?;
    Some((folder, file.text.parse().expect("cargo has read it before")))
}

/// Names of the dependencies in a section.
fn section<'a>(manifest: &'a Table, name: &str) -> impl Iterator<Item = &'a str> {
    let table = manifest.get(name).and_then(Value::as_table);
    table.into_iter().flat_map(|table| table.keys().map(String::as_str))
}

fn dependencies(manifest: &Table) -> impl Iterator<Item = &str> {
    SECTIONS.into_iter().flat_map(|name| section(manifest, name))
}

/// Direct dependencies of any crate that are not crates of this workspace.
pub(crate) fn third_party(repository: &Repository) -> BTreeSet<String> {
    let manifests = repository.files.iter().filter_map(manifest);
    manifests
        .flat_map(|(_, manifest)| dependencies(&manifest).map(str::to_owned).collect::<Vec<_>>())
        .filter(|name| !name.starts_with("muletrain-"))
        .collect()
}

fn directions(file: &File) -> Vec<Violation> {
    let Some((folder, manifest)) = manifest(file) else { return vec![] };
    let allowed = |other: &str| match folder {
        "tests" => true,
        "proto" => false,
        _ => !BINARIES.contains(&other) && other != "tests",
    };
    let siblings = dependencies(&manifest).filter_map(|name| name.strip_prefix("muletrain-"));
    siblings
        .filter(|other| !allowed(other))
        .map(|other| Violation::of(file, format!("{folder} depends on {other}")))
        .collect()
}

#[test]
fn the_binaries_share_proto_and_nothing_else() {
    let one = |section, name| format!("[{section}]\nmuletrain-{name}.workspace = true\n");
    for binary in BINARIES {
        let path = format!("{binary}/Cargo.toml");
        for other in BINARIES.into_iter().chain(["tests"]) {
            for section in SECTIONS {
                catches(directions, &path, &one(section, other));
                catches(directions, "proto/Cargo.toml", &one(section, other));
                accepts(directions, "tests/Cargo.toml", &one(section, other));
            }
        }
        accepts(directions, &path, &one("dependencies", "proto"));
    }
    holds(directions);
}

/// Every word in the code of a crate.
fn vocabulary(repository: &Repository, folder: &str) -> BTreeSet<String> {
    let code = repository.inside(folder).filter(|file| file.is_rust());
    code.flat_map(words).map(|word| word.text).collect()
}

fn idle(repository: &Repository) -> Vec<Violation> {
    let mut violations = vec![];
    for file in &repository.files {
        let Some((folder, manifest)) = manifest(file) else { continue };
        let vocabulary = vocabulary(repository, folder);
        let idle = dependencies(&manifest).filter(|name| {
            !GENERATED.contains(name) && !vocabulary.contains(&name.replace('-', "_"))
        });
        violations.extend(idle.map(|name| Violation::of(file, format!("{name} is not used"))));
    }
    violations
}

#[test]
fn every_dependency_is_used() {
    let with = |code| {
        [
            ("agent/Cargo.toml", "[dependencies]\nquick-xml.workspace = true\n"),
            ("agent/src/lib.rs", code),
        ]
    };
    catches_together(idle, &with("//! quick_xml reads it.\n"));
    accepts_together(idle, &with("use quick_xml::Reader;\n"));
    holds_together(idle);
}

fn required(repository: &Repository) -> Vec<Violation> {
    let used = third_party(repository);
    let absent = REQUIRED.iter().filter(|name| !used.contains(**name));
    absent
        .map(|name| Violation {
            place: "Cargo.toml".to_owned(),
            line: 1,
            problem: format!("no crate depends on {name}"),
        })
        .collect()
}

#[test]
fn the_required_crates_are_what_it_is_built_with() {
    let all = REQUIRED.map(|name| format!("{name}.workspace = true\n"));
    let manifest = |names: &[String]| format!("[dependencies]\n{}", names.concat());
    accepts_together(required, &[("agent/Cargo.toml", &manifest(&all))]);
    catches_together(required, &[("agent/Cargo.toml", &manifest(&all[1..]))]);
    holds_together(required);
}

fn lints(file: &File) -> Vec<Violation> {
    let Some((_, manifest)) = manifest(file) else { return vec![] };
    match manifest.get("lints").and_then(|lints| lints.get("workspace")) {
        Some(Value::Boolean(true)) => vec![],
        _ => vec![Violation::of(file, "does not take the workspace's lints")],
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    catches(lints, "agent/Cargo.toml", "[lints.rust]\nunsafe_code = \"allow\"\n");
    accepts(lints, "agent/Cargo.toml", "[lints]\nworkspace = true\n");
    holds(lints);
}

fn safe_code(file: &File) -> Vec<Violation> {
    if file.path != "Cargo.toml" {
        return vec![];
    }
    let manifest: Table = file.text.parse().expect("cargo has read it before");
    let lints = manifest.get("workspace").and_then(|workspace| workspace.get("lints"));
    let unsafe_code = lints.and_then(|lints| lints.get("rust")?.get("unsafe_code"));
    match unsafe_code.and_then(Value::as_str) {
        Some("forbid") => vec![],
        _ => vec![Violation::of(file, "unsafe code is not forbidden")],
    }
}

#[test]
fn unsafe_code_is_forbidden() {
    catches(safe_code, "Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"deny\"\n");
    accepts(safe_code, "Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n");
    holds(safe_code);
}

/// Versions are chosen in one place.
fn versions(file: &File) -> Vec<Violation> {
    let Some((_, manifest)) = manifest(file) else { return vec![] };
    let mut violations = vec![];
    for (name, value) in
        SECTIONS.iter().filter_map(|name| manifest.get(*name)?.as_table()).flatten()
    {
        if value.get("workspace").and_then(Value::as_bool) != Some(true) {
            violations.push(Violation::of(file, format!("{name} is not the workspace's")));
        }
    }
    violations
}

#[test]
fn versions_are_chosen_by_the_workspace() {
    catches(versions, "agent/Cargo.toml", "[dependencies]\nserde = \"1\"\n");
    accepts(versions, "agent/Cargo.toml", "[dependencies]\nserde.workspace = true\n");
    holds(versions);
}

#[test]
fn every_crate_is_looked_at() {
    let found: BTreeSet<&str> =
        Repository::here().files.iter().filter_map(|file| Some(manifest(file)?.0)).collect();
    assert_eq!(found, BTreeSet::from(CRATES));
}
