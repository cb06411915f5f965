//! Scenarios of what a selection leaves of a run, in one suite and in several.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::fs;

use muletrain_proto::id::SuiteName;
use muletrain_proto::journal::Record;
use muletrain_proto::run::{Options, Selection, Stop};
use muletrain_scheduler::cli::RunArguments;
use muletrain_scheduler::settings::Settings;
use world::World;

fn suite(name: &str) -> SuiteName {
    SuiteName::new(name).unwrap()
}

fn only(pattern: &str) -> Selection {
    Selection { patterns: vec![pattern.to_owned()], ..Selection::default() }
}

/// Two suites, `site` and the nameless one, each with an app of its own.
fn two_suites(options: Options) -> World {
    let mut world = World::new(&[("a", 2), ("b", 2)]);
    world.add_class("b", "Cart", 1);
    world.suites.insert(suite("site"), [world::app("b")].into());
    world.connect("one", "b1", 4);
    world.submit(options);
    world.settle_down();
    assert!(world.is_closed());
    world
}

/// Why nothing was run.
fn reason(world: &World) -> &str {
    match &world.run().stop {
        Some(Stop::NothingSelected { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

fn of_one_suite(labels: &[&str], selection: Selection) -> World {
    let mut world = World::new(&[("a", 2)]);
    world.connect("a", "b1", 1);
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    world.submit(Options { labels, selection, ..Options::default() });
    world.settle_down();
    assert!(world.is_closed());
    world
}

/// What users were told of what matches nothing, by the records of all suites.
fn notes(world: &World) -> Vec<String> {
    let of_record = |record: &Record| match record {
        Record::Inventory { notes, .. } => notes.clone(),
        _ => vec![],
    };
    world.records.iter().flat_map(of_record).collect()
}

fn tests(world: &World) -> Vec<&str> {
    world.run().ledger.tests().map(|(test, _)| test.as_str()).collect()
}

#[test]
fn a_selection_that_leaves_nothing_stops_the_run_and_says_what_may_have_been_meant() {
    let world = of_one_suite(&[], only("tset_0"));
    assert_eq!(reason(&world), "no test matches -k \"tset_0\"; did you mean test_0?");
    let tags = vec!["none".to_owned()];
    let world = of_one_suite(&[], Selection { tags, ..Selection::default() });
    assert_eq!(reason(&world), "no test has the tag \"none\" of --tag");
    let world = of_one_suite(&["a.Tt"], Selection::default());
    assert_eq!(reason(&world), "app a has no test class Tt");
}

#[test]
fn where_each_argument_matches_something_and_all_of_them_nothing_they_are_named() {
    let exclude = vec!["a.tests.T".to_owned()];
    let world = of_one_suite(&[], Selection { exclude, ..Selection::default() });
    let wanted =
        "the selection leaves no test; check --include, --exclude, --tag, --exclude-tag and -k";
    assert_eq!(reason(&world), wanted);
}

#[test]
fn a_project_without_tests_is_said_to_have_none() {
    let mut world = World::new(&[("a", 0)]);
    world.connect("a", "b1", 1);
    world.submit(Options::default());
    world.settle_down();
    assert_eq!(reason(&world), "the project has no tests");
}

#[test]
fn what_matches_in_no_suite_is_told_with_what_is_most_like_it_in_any() {
    let include = vec!["b.test.Cart".to_owned()];
    let selection = Selection { include, ..Selection::default() };
    let world = two_suites(Options { selection, ..Options::default() });
    let wanted = "no class matches --include \"b.test.Cart\"; did you mean b.tests.Cart?";
    assert_eq!((reason(&world), notes(&world)), (wanted, vec![wanted.to_owned()]));
}

#[test]
fn what_matches_in_one_of_two_suites_is_no_mistake() {
    for pattern in ["a.tests", "b.tests.Cart"] {
        let world = two_suites(Options { selection: only(pattern), ..Options::default() });
        assert!(world.run().stop.is_none() && notes(&world).is_empty(), "{pattern}");
        assert!(tests(&world).iter().all(|test| test.starts_with(pattern)), "{pattern}");
    }
}

#[test]
fn a_selection_of_a_suite_is_its_own_and_is_told_of_where_it_matches_nothing() {
    let suites = [(suite("site"), only("b.test.T"))].into();
    let world = two_suites(Options { suites, ..Options::default() });
    assert_eq!(notes(&world), ["no test matches -k \"b.test.T\"; did you mean b.tests.T?"]);
    assert_eq!(tests(&world), ["a.tests.T.test_0", "a.tests.T.test_1"], "the other suite is whole");

    let suites = [(suite("site"), only("tset_0")), (SuiteName::default(), only("test_7"))].into();
    let world = two_suites(Options { suites, ..Options::default() });
    let wanted = "no test matches -k \"test_7\"; did you mean test_0 or test_1?; \
                  no test matches -k \"tset_0\"; did you mean test_0?";
    assert_eq!(reason(&world), wanted);
}

#[test]
fn where_selections_of_suites_leave_nothing_the_project_is_not_said_to_have_no_tests() {
    let nothing = || Selection { exclude: vec!["*.tests.*".to_owned()], ..Selection::default() };
    let suites = [(suite("site"), nothing()), (SuiteName::default(), nothing())].into();
    let world = two_suites(Options { suites, ..Options::default() });
    assert!(reason(&world).starts_with("the selection leaves no test; "), "{}", reason(&world));
}

#[test]
fn each_suite_of_the_configuration_runs_what_it_selects_itself() {
    let project = tempfile::tempdir().unwrap();
    let file = "[[suite]]\nname = 'tools'\npatterns = ['test_0']\n\
                [[suite]]\nname = 'site'\npatterns = ['T.test_1', 'Cart']\n";
    fs::write(project.path().join("muletrain.toml"), file).unwrap();
    let arguments = RunArguments { path: project.path().to_owned(), ..Default::default() };
    let options = Settings::find(&arguments).unwrap().options;
    let mut world = World::new(&[("a", 2), ("b", 2)]);
    world.add_class("b", "Cart", 1);
    world.suites.insert(suite("tools"), [world::app("a")].into());
    world.suites.insert(suite("site"), [world::app("b")].into());
    world.connect("one", "b1", 4);
    world.submit(options);
    world.settle_down();
    assert!(world.is_closed() && world.run().stop.is_none());
    assert_eq!(tests(&world), ["a.tests.T.test_0", "b.tests.Cart.test_0", "b.tests.T.test_1"]);
    assert_eq!(world.run().ledger.settled(), 3);
}
