//! Journals as they lie on a disk.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::outcome::Ending;
use muletrain_reporter::pure::summary::Summary;
use muletrain_reporter::render::junit::junit;
use muletrain_reporter::source;

use crate::journal::{Journal, classes, passed};
use crate::site;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/site.jsonl")
}

fn read(content: &[u8]) -> Result<Summary, source::Error> {
    source::read_journal(Cursor::new(content), Path::new("journal.jsonl"))
}

fn green() -> String {
    let shop = || classes("shop", &[("shop.tests.T", &["test_add"])]);
    let mut journal = Journal::opened();
    journal.inventory(shop()).lease(1, "shop", "laptop").up(1, shop());
    journal.run(1, passed("shop.tests.T.test_add", 0.1)).end(1, Ending::Closed).close();
    journal.text()
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
fn a_stored_run_gives_the_report_of_the_live_one() {
    let stored = source::read(&fixture()).unwrap();
    let live = site::journal().summary();
    assert_eq!(junit(&[stored.summary]), junit(&[live]));
    assert_eq!(stored.directory, None);
}

#[test]
fn a_run_is_named_by_its_directory_or_by_its_journal() {
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("journal.jsonl");
    std::fs::write(&journal, green()).unwrap();
    for path in [directory.path(), &journal] {
        let stored = source::read(path).unwrap();
        assert_eq!(stored.summary.exit, ExitCode::Green);
        assert_eq!(stored.directory.as_deref(), Some(directory.path()));
    }
}

#[test]
fn cut_off_at_any_byte_it_is_incomplete() {
    let text = green();
    assert_eq!(read(text.as_bytes()).unwrap().exit, ExitCode::Green);
    for end in 1..text.len() {
        let summary = read(&text.as_bytes()[..end]).unwrap();
        assert_eq!(summary.exit, ExitCode::Incomplete, "cut off at byte {end}");
    }
}

#[test]
fn a_bad_line_costs_only_itself() {
    let text = green();
    for damage in
        ["", "not json\n", "{\"number\":3,\"at\":0,\"record\":\"unheard_of\"}\n", "\u{0}\n"]
    {
        let lines = text.lines().enumerate().map(|(number, line)| match number {
            2 => damage.to_owned(),
            _ => format!("{line}\n"),
        });
        let summary = read(lines.collect::<String>().as_bytes()).unwrap();
        assert_eq!(summary.exit, ExitCode::Incomplete, "{damage:?}");
        assert_eq!(summary.counts.passed, 1);
    }
}

#[test]
fn what_is_no_journal_is_refused_with_a_reason() {
    let message = |content: &[u8]| read(content).unwrap_err().to_string();
    assert!(message(b"").starts_with("journal.jsonl is empty"));
    assert!(
        message(b"<?xml version=\"1.0\"?>\n<testsuites/>").contains("JUnit XML cannot be read yet")
    );
    assert!(message(b"  <testsuite/>").contains("JUnit XML"));
    assert!(message(b"hello").contains("is no journal"));
    let newer = b"{\"muletrain_journal\":2,\"run\":\"a\"}\n";
    let error = read(newer).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Usage);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "journal version 2 cannot be read, this build reads version 1");
}
