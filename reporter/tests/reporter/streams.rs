//! What is read and written piece by piece comes to what is held as a whole.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use muletrain_proto::event::{Event, Finished, Planned};
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::inventory::Inventory;
use muletrain_proto::outcome::Ending;
use muletrain_reporter::merge::{Run, documents};
use muletrain_reporter::pure::finish::Detail;
use muletrain_reporter::pure::junit::Part;
use muletrain_reporter::pure::junit::profile::Profile;
use muletrain_reporter::pure::style::Look;
use muletrain_reporter::pure::summary::Summary;
use muletrain_reporter::read::input::Input;
use muletrain_reporter::read::journal::read as read_journal;
use muletrain_reporter::read::source::Source;
use muletrain_reporter::render::junit::document::Layout;
use muletrain_reporter::render::junit::of_parts;
use muletrain_reporter::render::terminal;
use muletrain_reporter::results::{Results, read_in};
use proptest::prelude::*;

use crate::damage::scratch;
use crate::dialects::read;
use crate::fold::journal;
use crate::journal::{Journal, classes, failed, failure, passed, printed, seconds, test};
use crate::render::PLAIN;
use crate::site;

const BRIEF: Detail = Detail::Brief { printing: false };

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn whole(text: &[u8]) -> Summary {
    read_journal(Source::new(text)).unwrap().finish()
}

/// As `report` reads it.
fn stored(path: &Path, detail: Detail) -> Results {
    let results = read_in(detail, &[path.to_owned()]);
    assert!(results.errors.is_empty(), "{:?}", results.errors);
    results
}

fn written(runs: &[Run<'_>], layout: Layout) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    documents(&folder.path().join("junit.xml"), layout, runs, &[]).unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

/// Everything that `report` may say of a journal, held or not.
#[track_caller]
fn assert_same(text: &[u8]) {
    let all = whole(text);
    for content in [text.to_vec(), packed(text)] {
        let file = scratch(content);
        assert_eq!(stored(&file.path, Detail::Full).reports[0].summary, all);
        for printing in [false, true] {
            let output =
                if printing { muletrain_proto::config::ShowOutput::All } else { PLAIN.output };
            let look = Look { output, ..PLAIN };
            let brief = stored(&file.path, Detail::Brief { printing });
            let brief = &brief.reports[0];
            assert_eq!(
                terminal::report(&brief.summary, look, None),
                terminal::report(&all, look, None)
            );
        }
        let brief = stored(&file.path, BRIEF);
        for profile in [Profile::Full, Profile::JenkinsXsd, Profile::Gitlab] {
            for split in [None, Some(2)] {
                let layout = Layout { profile, split };
                assert_eq!(
                    written(&[brief.reports[0].run().unwrap()], layout),
                    written(&[Run::Whole(&all)], layout),
                    "{layout:?}"
                );
            }
        }
    }
}

#[test]
fn a_run_in_which_everything_happens_is_told_alike() {
    assert_same(site::journal().text().as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_run_is_told_alike(journal in journal()) {
        assert_same(journal.text().as_bytes());
    }

    #[test]
    fn a_case_that_is_copied_is_the_case_that_would_be_written(
        cases in proptest::collection::vec(raw_case(), 1..6)
    ) {
        let text = format!("<testsuite name='s'>{}</testsuite>", cases.concat());
        let file = scratch(&text);
        let (parts, reading) = read(&file.path);
        let folder = tempfile::tempdir().unwrap();
        let merged = folder.path().join("merged.xml");
        let inputs = [Input::open(&file.path).unwrap()];
        let readings = documents(&merged, Layout::default(), &[], &inputs).unwrap();
        prop_assert_eq!(&readings[0], &reading, "{}", text);
        prop_assert_eq!(std::fs::read_to_string(&merged).unwrap(), of_parts(&parts), "{}", text);
    }
}

/// Tags of cases as tools write them, and as none should.
fn raw_case() -> impl Strategy<Value = String> {
    let names =
        ["name", "classname", "time", "status", "result", "xmlns", "x:y", "line", "1a", "ü"];
    let values = "([a-z .,0-9]|&lt;|&amp;|&#10;|&#x1b;|&l9;|&|>|'|\n|\t|\r|é|\u{feff}|\u{1b}){0,8}";
    let times =
        prop_oneof!["[0-9]{1,3}\\.[0-9]{3}", Just("1,5".to_owned()), Just("soon".to_owned())];
    let words = proptest::sample::select(vec!["failed", "run", "notrun", "ERROR"]);
    let value = prop_oneof![4 => values, 2 => times, 1 => words.prop_map(str::to_owned)];
    let spaces = || proptest::sample::select(vec!["", " ", "\n  ", "\t"]);
    let attribute = (proptest::sample::select(names.to_vec()), value, spaces(), spaces());
    let ends = vec!["/>", " />", "></testcase>", "><failure/></testcase>", ">"];
    let attributes = proptest::collection::vec(attribute, 0..5);
    (attributes, proptest::sample::select(ends)).prop_map(|(attributes, end)| {
        let attributes = attributes.iter().map(|(name, value, before, after)| {
            let before = if before.is_empty() { " " } else { before };
            format!("{before}{name}{after}=\"{value}\"")
        });
        format!("<testcase{}{end}", attributes.collect::<String>())
    })
}

/// An inventory that no reader holds as one line.
fn large() -> Inventory {
    let methods: Vec<String> =
        (0..40).map(|number| format!("test_{number}_{}", "long".repeat(12))).collect();
    let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
    let names: Vec<String> = (0..1000).map(|number| format!("shop.tests.T{number}")).collect();
    let all: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &*methods)).collect();
    classes("shop", &all)
}

fn large_run() -> Journal {
    let inventory = large();
    let id = inventory.classes[7].tests[3].id.as_str().to_owned();
    let mut journal = Journal::opened();
    journal.inventory(inventory.clone()).lease(1, "shop", "laptop");
    let missing = Vec::new();
    journal.event(1, Event::Planned(Planned { inventory, missing, seconds: seconds(0.5) }));
    let why = failure("AssertionError", "1 != 2", "shop/tests.py\", line 1");
    journal.run(1, failed(&id, 0.1, vec![why])).end(1, Ending::Closed).close();
    journal
}

#[test]
fn an_inventory_of_any_size_is_taken_class_by_class() {
    let text = large_run().text();
    assert!(text.lines().any(|line| line.len() > 2 << 20));
    let all = whole(text.as_bytes());
    assert_eq!((all.tests.len(), all.leases.values().next().unwrap().planned), (40_000, 40_000));
    for content in [text.clone().into_bytes(), packed(text.as_bytes())] {
        let file = scratch(content);
        assert_eq!(stored(&file.path, Detail::Full).reports[0].summary, all);
    }
}

#[test]
fn nothing_is_taken_of_a_large_inventory_that_is_wrong_anywhere() {
    let text = large_run().text();
    let last = text.find("shop.tests.T999.test_9").unwrap();
    let end = text[last..].find('\n').unwrap() + last;
    for damaged in [
        text[..last].to_owned(),
        format!("{}{{{}", &text[..last], &text[last..]),
        format!("{}}}{}", &text[..end], &text[end..]),
        text.replacen("\"classes\":[{\"id\":\"shop.tests.T0\"", "\"classes\":[{\"id\":\"\"", 1),
        text.replacen("\"classes\":[", "\"classes\":[ ", 2),
        text.replacen("\"errors\":[]", "\"errors\":[7]", 1),
    ] {
        let all = whole(damaged.as_bytes());
        let file = scratch(&damaged);
        let found = &stored(&file.path, Detail::Full).reports[0].summary;
        assert_eq!((&found.unfinished, found.exit), (&all.unfinished, all.exit));
        assert_eq!((&found.tests, &found.counts), (&all.tests, &all.counts));
    }
}

#[test]
fn output_that_is_no_utf_8_is_shown_as_such_wherever_it_is_kept() {
    let mut journal = Journal::opened();
    let inventory = classes("shop", &[("shop.tests.T", &["test_add"])]);
    journal.inventory(inventory.clone()).lease(1, "shop", "laptop").up(1, inventory);
    let told =
        Finished { output: printed("caf# and more"), ..passed("shop.tests.T.test_add", 0.1) };
    journal.run(1, told).end(1, Ending::Closed).close();
    let mut bytes = journal.text().into_bytes();
    let place = bytes.windows(4).position(|four| four == b"caf#").unwrap() + 3;
    bytes[place] = 0xe9;
    assert_eq!(whole(&bytes).tests[0].decisive.output.text, "caf\u{fffd} and more");
    assert_same(&bytes);
}

#[test]
fn a_journal_that_changes_meanwhile_is_never_green_and_its_document_not_written() {
    let text = large_run().text();
    let file = scratch(&text);
    let brief = stored(&file.path, BRIEF);
    std::fs::write(&file.path, "").unwrap();
    let target = file.folder.path().join("junit.xml");
    let runs = [brief.reports[0].run().unwrap()];
    let error = documents(&target, Layout::default(), &runs, &[]).unwrap_err();
    let why = muletrain_proto::cli::chain(&error);
    assert!(why.contains("its journal cannot be read again"), "{why}");
    assert!(!target.exists());
}

#[test]
fn clocks_that_go_backwards_make_no_time() {
    let mut journal = Journal::opened();
    let inventory = classes("shop", &[("shop.tests.T", &["test_add"])]);
    journal.inventory(inventory.clone()).lease(1, "shop", "laptop").up(1, inventory);
    journal.start(1, "shop.tests.T.test_add");
    for entry in &mut journal.entries[2..] {
        entry.at = 5;
    }
    journal.close();
    let summary = whole(journal.text().as_bytes());
    assert_eq!(summary.exit, ExitCode::Incomplete);
    let lost = summary.tests.iter().find(|one| one.id == test("shop.tests.T.test_add")).unwrap();
    assert!(lost.decisive.seconds.is_none());
    assert_same(journal.text().as_bytes());
}

#[test]
fn what_a_merge_copies_is_xml() {
    let text = "<testsuite name='&#27;[1m'><testcase name='&#0;\u{8}&#x1B;[31m' time='1'/>\
                <testcase name='b'><failure message='&#27;'>\u{1b}]0;x\u{7}</failure></testcase></testsuite>";
    let file = scratch(text);
    let folder = tempfile::tempdir().unwrap();
    let merged = folder.path().join("merged.xml");
    documents(&merged, Layout::default(), &[], &[Input::open(&file.path).unwrap()]).unwrap();
    let document = std::fs::read_to_string(&merged).unwrap();
    crate::render::assert_well_formed(&document);
    assert!(document.contains("name=\"␀␈␛[31m\"") && document.contains("␛]0;x␇"), "{document}");
    let cases = read(&merged).0.into_iter().filter(|part| matches!(part, Part::Case(_)));
    assert_eq!(cases.count(), 2);
}
