//! Tests that were tried more than once, and in which order.

use muletrain_proto::config::Flaky;
use muletrain_proto::event::{Event, Finished};
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::journal::Record;
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::{Iteration, Options};
use muletrain_reporter::render::json::json;
use muletrain_reporter::render::terminal;

use crate::journal::{Journal, classes, failed, failure, passed};
use crate::render::PLAIN;

const ADD: &str = "shop.tests.T.test_add";
const SUM: &str = "shop.tests.T.test_sum";

/// A test fails, and passes when it is tried again in a pod of its own.
fn flaky(options: Options) -> Journal {
    let both = || classes("shop", &[("shop.tests.T", &["test_add", "test_sum"])]);
    let mut journal = Journal::asked(options);
    journal.record(Record::Inventory {
        inventory: both(),
        deselected: 0,
        remembered: false,
        suite: muletrain_proto::id::SuiteName::default(),
        notes: vec!["shop.tests.T.test_gone was asked for and is not there any more".to_owned()],
        unmatched: vec![],
    });
    journal.lease(1, "shop", "laptop").up(1, both());
    let failures = vec![failure("AssertionError", "3 != 4", "shop/tests.py")];
    journal.event(1, Event::Finished(failed(ADD, 1.0, failures)));
    journal.event(1, Event::Finished(passed(SUM, 1.0))).end(1, Ending::Closed);
    journal.lease(2, "shop", "laptop").up(2, both());
    journal.event(2, Event::Finished(Finished { r#try: 2, ..passed(ADD, 1.0) }));
    journal.end(2, Ending::Closed).close();
    journal
}

#[test]
fn a_flaky_test_is_green_unless_it_shall_not_be() {
    let exit = |flaky_is| {
        let options = Options { flaky: flaky_is, retries: 1, ..Options::default() };
        flaky(options).summary().exit
    };
    assert_eq!((exit(Flaky::Pass), exit(Flaky::Fail)), (ExitCode::Green, ExitCode::Red));
}

#[test]
fn the_report_tells_every_try_and_how_to_get_the_same_order_again() {
    let options = Options {
        flaky: Flaky::Fail,
        shuffle: Some(7),
        iteration: Some(Iteration { number: 2, limit: 10 }),
        ..Options::default()
    };
    let report = terminal::report(&flaky(options).summary(), PLAIN, None);
    insta::assert_snapshot!(report);
}

#[test]
fn every_try_is_in_the_json_report() {
    let text = json(&[&flaky(Options::default()).summary()]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let test = &report["runs"][0]["tests"][0];
    assert_eq!((&test["outcome"], &test["try"]), (&"flaky".into(), &2.into()));
    assert_eq!(test["others"][0]["verdict"], "failed");
    assert_eq!(test["others"][0]["failures"][0]["message"], "3 != 4");
}
