//! The fold of other tools' results.

use super::*;
use crate::pure::junit::properties;

fn of(parts: Vec<Part>) -> Summary {
    let mut foreign = Foreign::default();
    parts.into_iter().for_each(|part| foreign.take(part));
    foreign.file("a.xml", vec!["odd".to_owned()]);
    foreign.finish()
}

#[test]
fn suites_become_apps_unless_they_name_one() {
    let suite = |name: &str| Part::Open(Element::new("testsuite").with("name", name));
    let case = |name: &str| Part::Case(Element::new("testcase").with("name", name));
    let app = properties([("muletrain.app", "shop".to_owned())]);
    let summary =
        of(vec![suite("a"), case("x"), Part::Close, suite("b"), Part::Aside(app), case("y")]);
    let labels: Vec<&str> = summary.apps.iter().map(|app| app.label.as_str()).collect();
    assert_eq!(labels, ["a", "shop"]);
    assert_eq!(summary.incidents, ["a.xml: odd"]);
}

#[test]
fn what_much_text_says_is_kept_in_brief() {
    let failure = || Element::new("failure").with_text("x".repeat(70 << 10));
    let case = |number: usize| {
        Part::Case(Element::new("testcase").with("name", number.to_string()).with_child(failure()))
    };
    let summary = of((0..1100).map(case).collect());
    let kept = |test: &TestReport| test.decisive.failures[0].traceback.len();
    let kept: Vec<usize> = summary.tests.iter().map(kept).collect();
    assert!(kept[0] > 60 << 10 && kept[1099] <= 2 << 10, "{} {}", kept[0], kept[1099]);
}
