//! The rules of the code base.
//!
//! Each rule is a function from files to violations. Each of its tests shows it a sample that it
//! must catch before it asks whether the repository keeps it: no rule here can hold by accident.

mod boundaries;
mod code;
mod documents;
mod layout;
mod manifests;
mod repository;
mod text;

use std::fmt;

use repository::{File, Repository};

/// Where a rule is broken, and how.
struct Violation {
    place: String,
    line: usize,
    problem: String,
}

impl Violation {
    /// Of a file as a whole.
    fn of(file: &File, problem: impl Into<String>) -> Self {
        Self::at(file, 1, problem)
    }

    /// Of a line, counted from 1.
    fn at(file: &File, line: usize, problem: impl Into<String>) -> Self {
        Self { place: file.path.clone(), line, problem: problem.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.place, self.line, self.problem)
    }
}

/// A rule that each file keeps or breaks by itself.
type FileRule = fn(&File) -> Vec<Violation>;

/// A rule about how files fit together.
type RepositoryRule = fn(&Repository) -> Vec<Violation>;

/// The rule finds something wrong with a file like this.
#[track_caller]
fn catches(rule: FileRule, path: &str, text: &str) {
    let found = rule(&File::new(path, text));
    assert!(!found.is_empty(), "nothing is said against {path}:\n{text}");
}

/// The rule has nothing against a file like this.
#[track_caller]
fn accepts(rule: FileRule, path: &str, text: &str) {
    report(&rule(&File::new(path, text)));
}

/// Every file of the repository keeps the rule.
#[track_caller]
fn holds(rule: FileRule) {
    report(&Repository::here().files.iter().flat_map(rule).collect::<Vec<_>>());
}

/// The rule finds something wrong with a repository of these files.
#[track_caller]
fn catches_together(rule: RepositoryRule, files: &[(&str, &str)]) {
    assert!(!rule(&Repository::of(files)).is_empty(), "nothing is said against {files:?}");
}

/// The rule has nothing against a repository of these files.
#[track_caller]
fn accepts_together(rule: RepositoryRule, files: &[(&str, &str)]) {
    report(&rule(&Repository::of(files)));
}

/// The repository keeps the rule.
#[track_caller]
fn holds_together(rule: RepositoryRule) {
    report(&rule(Repository::here()));
}

#[track_caller]
fn report(violations: &[Violation]) {
    let lines: Vec<String> = violations.iter().map(Violation::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}
