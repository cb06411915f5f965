//! Results that were damaged in any way: no reader panics, each comes to an end, and none loses a
//! case that was complete before the damage.
//!
//! `MULETRAIN_FUZZ_SECONDS` lets it go on for as long; `tests/bin/fuzz-readers` sets it.

use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use muletrain_reporter::merge::documents;
use muletrain_reporter::pure::finish::Detail;
use muletrain_reporter::pure::junit::{Element, Part};
use muletrain_reporter::read::input::Input;
use muletrain_reporter::read::journal;
use muletrain_reporter::read::source::Source;
use muletrain_reporter::render::junit::document::Layout;
use muletrain_reporter::render::junit::of_parts;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::damage::scratch;
use crate::dialects::{CTRF, REPORT_LOG, XML, corpus, dialect, read};

/// What markup, numbers and encodings are broken with.
const PIECES: [&[u8]; 16] = [
    b"<",
    b">",
    b"&",
    b"\"",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"</testsuite>",
    b"<testcase name='new'>",
    b"<!DOCTYPE x [<!ENTITY a \"&a;\">]>",
    b"\0",
    b"\xff\xfe",
    b"{",
    b"[",
    b"\n",
    b"1e999",
];

#[derive(Debug, Clone)]
enum Change {
    Cut,
    Flip(u8),
    Remove(usize),
    Repeat(usize),
    Insert(&'static [u8]),
}

fn change() -> impl Strategy<Value = (prop::sample::Index, Change)> {
    let change = prop_oneof![
        Just(Change::Cut),
        any::<u8>().prop_map(Change::Flip),
        (1..200_usize).prop_map(Change::Remove),
        (1..200_usize).prop_map(Change::Repeat),
        prop::sample::select(PIECES.to_vec()).prop_map(Change::Insert),
    ];
    (any::<prop::sample::Index>(), change)
}

/// The changed bytes, and where the first change is.
fn changed(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, Change)]) -> (Vec<u8>, usize) {
    let mut first = bytes.len();
    for (place, change) in changes {
        if bytes.is_empty() {
            break;
        }
        let at = place.index(bytes.len());
        first = first.min(at);
        let end = |length: &usize| (at + length).min(bytes.len());
        match change {
            Change::Cut => bytes.truncate(at),
            Change::Flip(bits) => bytes[at] ^= bits,
            Change::Remove(length) => drop(bytes.drain(at..end(length))),
            Change::Repeat(length) => {
                let piece = bytes[at..end(length)].to_vec();
                drop(bytes.splice(at..at, piece));
            }
            Change::Insert(piece) => drop(bytes.splice(at..at, piece.iter().copied())),
        }
    }
    (bytes, first)
}

fn cases(path: &Path) -> Vec<Element> {
    let of_case = |part| match part {
        Part::Case(case) => Some(case),
        _ => None,
    };
    read(path).0.into_iter().filter_map(of_case).collect()
}

/// How many bytes before a place nothing after it can change the meaning of: in a log, whole lines.
fn whole(name: &str, bytes: &[u8], end: usize) -> usize {
    match name.ends_with(".jsonl") {
        true => bytes[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1),
        false => end,
    }
}

/// Cases that say nothing of damage.
fn is_complete(case: &&Element) -> bool {
    let kinds = ["muletrain.CutOff", "muletrain.UnreadableReport", "muletrain.NotRun"];
    !case.children.iter().any(|child| child.get("type").is_some_and(|kind| kinds.contains(&kind)))
}

/// Once, or again and again for as long as was asked for.
fn run<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let seconds = std::env::var("MULETRAIN_FUZZ_SECONDS").map_or(0, |text| text.parse().unwrap());
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        let mut runner =
            TestRunner::new(Config { cases: 128, failure_persistence: None, ..Config::default() });
        runner.run(strategy, &test).unwrap();
        if Instant::now() >= deadline {
            break;
        }
    }
}

#[test]
fn whatever_is_done_to_junit_xml_what_came_before_counts() {
    what_came_before_counts(&XML);
}

#[test]
fn whatever_is_done_to_ctrf_what_came_before_counts() {
    what_came_before_counts(&[CTRF]);
}

#[test]
fn whatever_is_done_to_a_log_of_pytest_what_came_before_counts() {
    what_came_before_counts(&[REPORT_LOG]);
}

fn what_came_before_counts(corpus: &[&'static str]) {
    let strategy = (prop::sample::select(corpus.to_vec()), prop::collection::vec(change(), 1..4));
    run(&strategy, |(name, changes)| {
        let original = std::fs::read(dialect(name)).unwrap();
        let (bytes, first) = changed(original.clone(), &changes);
        let before = scratch(&original[..whole(name, &original, first)]);
        let expected = cases(&before.path);
        let expected: Vec<&Element> = expected.iter().take_while(is_complete).collect();
        let found = scratch(&bytes);
        let found = cases(&found.path);
        let found: Vec<&Element> = found.iter().take(expected.len()).collect();
        prop_assert_eq!(found, expected, "{} changed at {}", name, first);
        Ok(())
    });
}

#[test]
fn whatever_is_done_to_junit_xml_it_is_merged_as_it_is_read() {
    it_is_merged_as_it_is_read(&XML);
}

#[test]
fn whatever_is_done_to_ctrf_it_is_merged_as_it_is_read() {
    it_is_merged_as_it_is_read(&[CTRF]);
}

#[test]
fn whatever_is_done_to_a_log_of_pytest_it_is_merged_as_it_is_read() {
    it_is_merged_as_it_is_read(&[REPORT_LOG]);
}

/// Merging reads twice and copies what it can; summaries are made of what is read once.
fn it_is_merged_as_it_is_read(corpus: &[&'static str]) {
    let strategy = (prop::sample::select(corpus.to_vec()), prop::collection::vec(change(), 1..4));
    run(&strategy, |(name, changes)| {
        let (bytes, _) = changed(std::fs::read(dialect(name)).unwrap(), &changes);
        let file = scratch(bytes);
        let (parts, reading) = read(&file.path);
        let merged = file.folder.path().join("merged");
        let inputs = [Input::open(&file.path).unwrap()];
        let readings = documents(&merged, Layout::default(), &[], &inputs).unwrap();
        prop_assert_eq!(&readings[0], &reading);
        prop_assert_eq!(std::fs::read_to_string(&merged).unwrap(), of_parts(&parts));
        Ok(())
    });
}

fn packed(name: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&std::fs::read(dialect(name)).unwrap()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_is_packed_twice_in_a_row_is_read_as_its_text_would_be() {
    let text = std::fs::read(dialect("bare.xml")).unwrap();
    let (twice, plain) = (scratch(packed("bare.xml").repeat(2)), scratch(text.repeat(2)));
    assert_eq!(read(&twice.path).0, read(&plain.path).0);
}

#[test]
fn whatever_is_done_to_a_packed_result_it_comes_to_an_end() {
    let strategy = (prop::sample::select(corpus()), prop::collection::vec(change(), 1..4));
    run(&strategy, |(name, changes)| {
        let (bytes, _) = changed(packed(name), &changes);
        let file = scratch(&bytes);
        let (parts, reading) = read(&file.path);
        if reading.damage.is_none() {
            // A checksum tells whether all is right; what is packed twice is there twice.
            let mut text = Vec::new();
            let unpacked = MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text);
            let is_twice = unpacked.is_ok() && parts == read(&scratch(&text).path).0;
            prop_assert!(is_twice || parts.starts_with(&read(&dialect(name)).0), "{}", name);
        }
        Ok(())
    });
}

#[test]
fn whatever_is_done_to_a_journal_it_is_read() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let journals = ["site.jsonl", "journals/before-suites.jsonl"];
    let strategy = (prop::sample::select(journals.to_vec()), prop::collection::vec(change(), 1..4));
    run(&strategy, |(name, changes)| {
        let (bytes, _) = changed(std::fs::read(fixtures.join(name)).unwrap(), &changes);
        let file = scratch(&bytes);
        let stored = journal::read_stored(&Input::open(&file.path).unwrap());
        let held = journal::read(Source::new(bytes.as_slice()));
        // What is no journal any more is refused; the rest has a summary.
        prop_assert_eq!(stored.is_ok(), held.is_ok());
        if let (Ok(stored), Ok(held)) = (stored, held) {
            let (summary, _) = stored.fold.conclude(Detail::Full, &*stored.lines);
            prop_assert_eq!(summary.counts.tests() as usize, summary.tests.len());
            prop_assert_eq!(summary, held.finish());
        }
        Ok(())
    });
}
