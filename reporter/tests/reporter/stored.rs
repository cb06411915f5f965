//! Journals as they lie on a disk.

use std::path::{Path, PathBuf};

use muletrain_reporter::source;

use crate::site;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/site.jsonl")
}

/// Run with `UPDATE_FIXTURES=1` after a change of the journal's types.
#[test]
fn the_fixture_is_what_the_types_write() {
    let text = site::journal().text();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(fixture(), &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(fixture()).unwrap(), text);
}

#[test]
fn a_stored_run_is_what_was_seen_live() {
    let stored = source::read(&fixture()).unwrap();
    assert_eq!(stored.summary, site::journal().summary());
}
