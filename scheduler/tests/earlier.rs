//! What earlier builds stored stays readable: journals, packed or not, and histories.
//!
//! After a change of a format, what the build before it wrote is added here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

use muletrain_proto::id::AppLabel;
use muletrain_proto::seconds::Seconds;
use muletrain_scheduler::history::History;
use muletrain_scheduler::journal::Journal;
use muletrain_scheduler::{packed, stored};

fn fixtures(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_wanted = |path: &PathBuf| path.to_string_lossy().ends_with(ending);
    let paths: Vec<PathBuf> = entries.filter(is_wanted).collect();
    assert!(paths.len() >= 2, "{paths:?}");
    paths
}

#[test]
fn every_record_of_a_journal_is_read_again() {
    for path in fixtures("../reporter/tests/fixtures/records", ".jsonl") {
        let runs = tempfile::tempdir().unwrap();
        let journal = runs.path().join("r1/journal.jsonl");
        fs::create_dir(runs.path().join("r1")).unwrap();
        fs::copy(&path, &journal).unwrap();
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        let (_, header, entries) = Journal::resume(&journal).unwrap();
        assert_eq!((header.run.as_str(), entries.len()), ("r1", lines - 1), "{}", path.display());
        let before = stored::find(runs.path(), "last").unwrap();
        packed::pack(&journal).unwrap();
        assert_eq!(stored::find(runs.path(), "r1").unwrap(), before, "{}", path.display());
    }
}

#[test]
fn what_a_history_has_learned_is_still_known() {
    for path in fixtures("tests/fixtures", ".sqlite3") {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("history.sqlite3");
        fs::copy(&path, &copy).unwrap();
        let mut history = History::open(&copy).unwrap();
        let cart = AppLabel::new("cart").unwrap();
        let known = history.estimates("shop").unwrap().apps[&cart].whole();
        assert_eq!(known.get(), 3.0, "{}", path.display());
        let boot = history.boot("shop").unwrap().map(Seconds::get);
        let had_boots = path.to_string_lossy().contains("boot-times");
        assert_eq!(boot, had_boots.then_some(1.5), "{}", path.display());
        history.learn_boot("shop", "20260109-120000", known).unwrap();
    }
}
