//! The files that rules look at.

use std::path::Path;
use std::sync::LazyLock;

use ignore::WalkBuilder;

/// A text file.
pub(crate) struct File {
    /// Relative to the root of the repository, with `/` between its parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Its last part.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The top-level folder it is in; none for a file at the root.
    pub(crate) fn top(&self) -> Option<&str> {
        self.path.split_once('/').map(|(top, _)| top)
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(crate) fn is_python(&self) -> bool {
        self.path.ends_with(".py") || self.interpreter().is_some_and(|line| line.contains("python"))
    }

    /// Whether it is a program for a shell.
    pub(crate) fn is_shell(&self) -> bool {
        self.path.ends_with(".sh") || self.interpreter().is_some_and(|line| line.ends_with("sh"))
    }

    fn interpreter(&self) -> Option<&str> {
        self.text.lines().next()?.strip_prefix("#!")
    }
}

/// All text files that git tracks or would track.
pub(crate) struct Repository {
    pub(crate) files: Vec<File>,
}

impl Repository {
    /// The repository that these tests are part of.
    pub(crate) fn here() -> &'static Self {
        static HERE: LazyLock<Repository> = LazyLock::new(read);
        &HERE
    }

    /// A made-up one.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| File::new(path, text)).collect() }
    }

    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Files in a top-level folder.
    pub(crate) fn inside<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.top() == Some(folder))
    }
}

fn read() -> Repository {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder in it");
    let is_git = |name: &std::ffi::OsStr| name == ".git";
    let mut files: Vec<File> = WalkBuilder::new(root)
        .hidden(false)
        .filter_entry(move |entry| !is_git(entry.file_name()))
        .build()
        .map(|entry| entry.expect("the repository can be walked"))
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .filter_map(|entry| {
            // What is no text has no rules.
            let text = std::fs::read_to_string(entry.path()).ok()?;
            let path = entry.path().strip_prefix(root).expect("the walk stays inside");
            Some(File::new(path.to_str().expect("paths here are ASCII"), &text))
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Repository { files }
}

#[test]
fn the_walk_sees_what_git_tracks_and_nothing_that_is_built() {
    let repository = Repository::here();
    for path in ["Cargo.toml", "proto/src/lib.rs", "agent/harness/bootstrap.py", ".gitignore"] {
        assert!(repository.get(path).is_some(), "{path}");
    }
    assert_eq!(repository.inside("target").count(), 0);
}
