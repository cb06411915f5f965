//! Journals as they lie on a disk.

use std::io::Write;
use std::path::{Path, PathBuf};

use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::outcome::Ending;
use muletrain_reporter::pure::summary::Summary;
use muletrain_reporter::read::journal::read as read_journal;
use muletrain_reporter::read::source::Source;
use muletrain_reporter::render::junit::junit;
use muletrain_reporter::results::{self, Report};

use crate::journal::{Journal, classes, passed};
use crate::site;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/site.jsonl")
}

fn read(content: &[u8]) -> Summary {
    read_journal(Source::new(content)).unwrap().finish()
}

fn stored(path: &Path) -> Report {
    let mut results = results::read(&[path.to_owned()]);
    assert!(results.errors.is_empty(), "{:?}", results.errors);
    results.reports.remove(0)
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
    let stored = stored(&fixture());
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
        let stored = stored(path);
        assert_eq!(stored.summary.exit, ExitCode::Green);
        assert_eq!(stored.directory.as_deref(), Some(directory.path()));
    }
}

#[test]
fn a_run_that_is_given_twice_counts_once_and_as_far_as_it_got() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let text = green();
    let (whole, cut) = (write("whole", &text), write("cut", &text[..text.len() / 2]));
    for paths in [[&whole, &whole], [&whole, &cut], [&cut, &whole]] {
        let results = results::read(&paths.map(Clone::clone));
        assert_eq!(results.reports.len(), 1);
        let summary = &results.reports[0].summary;
        assert_eq!((summary.counts.passed, summary.exit), (1, ExitCode::Green));
        let second = paths[1].display();
        let note = format!("{second}: the run was given before and counts once");
        assert_eq!(summary.incidents, [note]);
    }
}

#[test]
fn a_packed_journal_is_the_same_journal() {
    let directory = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(directory.path().join("journal.jsonl.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packed.write_all(green().as_bytes()).unwrap();
    packed.finish().unwrap();
    let stored = stored(directory.path());
    assert_eq!(stored.summary, read(green().as_bytes()));
    assert_eq!(stored.directory.as_deref(), Some(directory.path()));
}

#[test]
fn cut_off_at_any_byte_it_is_incomplete() {
    let text = green();
    assert_eq!(read(text.as_bytes()).exit, ExitCode::Green);
    for end in 1..text.len() {
        let summary = read(&text.as_bytes()[..end]);
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
        let summary = read(lines.collect::<String>().as_bytes());
        assert_eq!(summary.exit, ExitCode::Incomplete, "{damage:?}");
        assert_eq!(summary.counts.passed, 1);
    }
}

#[test]
fn a_journal_of_another_version_is_refused_and_the_report_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.jsonl");
    std::fs::write(&path, "{\"muletrain_journal\":2,\"run\":\"a\"}\n").unwrap();
    let summary = stored(&path).summary;
    assert_eq!(summary.exit, ExitCode::Incomplete);
    let why = "journal version 2 cannot be read, this build reads version 1";
    assert!(summary.unfinished[0].ends_with(why), "{:?}", summary.unfinished);
}

/// One is added for each change of the format, as the build before it wrote them.
#[test]
fn journals_of_earlier_builds_stay_readable() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journals");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let paths: Vec<PathBuf> = files.collect();
    assert!(!paths.is_empty());
    for path in paths {
        let summary = stored(&path).summary;
        assert_eq!(summary.unfinished, Vec::<String>::new(), "{}", path.display());
        assert_eq!((summary.counts.tests(), summary.counts.failed), (17, 2), "{}", path.display());
    }
}
