//! What people and CI systems get to see, as snapshots.

use muletrain_proto::config::ShowOutput;
use muletrain_reporter::pure::style::Look;
use muletrain_reporter::render::json::json;
use muletrain_reporter::render::junit::junit;
use muletrain_reporter::render::terminal;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::journal::{Journal, classes, passed};
use crate::site;
use muletrain_proto::outcome::Ending;

pub(crate) const PLAIN: Look = Look { color: false, width: 100, output: ShowOutput::Failed };

#[test]
fn the_terminal_report_tells_everything() {
    let report = terminal::report(&site::journal().summary(), PLAIN, Some(".muletrain/runs/x"));
    insta::assert_snapshot!(report);
}

#[test]
fn a_narrow_terminal_gets_the_same_facts() {
    let narrow = Look { width: 50, ..PLAIN };
    let report = terminal::report(&site::journal().summary(), narrow, None);
    insta::assert_snapshot!(report.split("── Slowest").nth(1).unwrap());
}

#[test]
fn a_green_run_is_said_in_a_few_lines() {
    let report = terminal::report(&green().summary(), PLAIN, None);
    insta::assert_snapshot!(report);
}

#[test]
fn colour_adds_nothing_but_colour() {
    let summary = site::journal().summary();
    let colored = terminal::report(&summary, Look { color: true, ..PLAIN }, None);
    assert!(colored.contains("\u{1b}[31m"));
    let stripped = muletrain_reporter::pure::text::for_terminal(&colored);
    assert_eq!(stripped, terminal::report(&summary, PLAIN, None));
}

#[test]
fn junit_tells_everything() {
    let document = junit(&[site::journal().summary()]);
    assert_well_formed(&document);
    insta::assert_snapshot!(document);
}

#[test]
fn several_runs_are_one_document() {
    let document = junit(&[green().summary(), site::journal().summary()]);
    assert_well_formed(&document);
    assert_eq!(document.matches("<testsuites ").count(), 1);
}

#[test]
fn json_tells_everything() {
    insta::assert_snapshot!(json(&[&site::journal().summary()]));
}

fn green() -> Journal {
    let inventory = classes("shop", &[("shop.tests.CartTest", &["test_add", "test_total"])]);
    let mut journal = Journal::opened();
    journal.inventory(inventory.clone()).lease(1, "shop", "laptop").up(1, inventory);
    journal.run(1, passed("shop.tests.CartTest.test_add", 0.5));
    journal.run(1, passed("shop.tests.CartTest.test_total", 1.5));
    journal.end(1, Ending::Closed).close();
    journal
}

/// Parsed to its end, with every element closed and every suite's counts right.
pub(crate) fn assert_well_formed(document: &str) {
    let mut reader = Reader::from_str(document);
    let mut open = Vec::new();
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(element) => open.push(element.name().as_ref().to_owned()),
            Event::End(_) => drop(open.pop().expect("closes what is open")),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty());
    let legal = |one: char| matches!(one, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(document.chars().all(legal));
}
