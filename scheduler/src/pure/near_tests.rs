//! What a user is told of a selection that matches nothing.

use muletrain_proto::id::{AppLabel, ClassId, TestId};
use muletrain_proto::inventory::Test;

use super::super::label::Member;
use super::*;

fn inventory() -> Inventory {
    let class = |id: &str, tag: &str, methods: &[&str]| Class {
        id: ClassId::new(id).unwrap(),
        app: AppLabel::new("shop").unwrap(),
        module: "shop.tests".into(),
        file: "shop/tests.py".into(),
        line: None,
        phase: 0,
        whole_module: false,
        tags: vec![tag.to_owned()],
        databases: vec![],
        bases: vec!["django.test.testcases.LiveServerTestCase".to_owned()],
        tests: methods
            .iter()
            .map(|name| Test {
                id: TestId::new(format!("{id}.{name}")).unwrap(),
                tags: vec!["slow".to_owned()],
            })
            .collect(),
    };
    Inventory {
        classes: vec![
            class("shop.tests.CartTest", "smoke", &["test_total", "test_add"]),
            class("shop.tests.BrowserTest", "selenium", &["test_click"]),
        ],
        errors: vec![],
    }
}

fn told(selection: &Selection) -> Vec<String> {
    unmatched(selection, &[], &inventory()).iter().map(note).collect()
}

fn list(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

#[test]
fn what_matches_nothing_is_told_with_what_is_like_it() {
    let selection = Selection {
        include: list("shop.tests.CratTest"),
        exclude: list("LiveServerTestCas"),
        tags: list("smok"),
        exclude_tags: list("zzz"),
        patterns: list("test_totl"),
    };
    insta::assert_snapshot!(told(&selection).join("\n"), @r#"
    no class matches --include "shop.tests.CratTest"; did you mean shop.tests.CartTest?
    no class matches --exclude "LiveServerTestCas"; did you mean django.test.testcases.LiveServerTestCase?
    no test has the tag "smok" of --tag; did you mean smoke?
    no test has the tag "zzz" of --exclude-tag
    no test matches -k "test_totl"; did you mean test_total?
    "#);
}

#[test]
fn nothing_is_told_of_what_matches() {
    let selection = Selection {
        include: list("django.test.testcases.LiveServerTestCase"),
        exclude: list("*.Browser*"),
        tags: list("smoke"),
        exclude_tags: list("slow"),
        patterns: list("Cart"),
    };
    assert_eq!(told(&selection), [""; 0]);
}

#[test]
fn a_mistyped_class_or_method_of_an_app_is_told() {
    let told = |class: &str, method: Option<&str>| {
        let target = Target {
            suite: muletrain_proto::id::SuiteName::default(),
            dotted: "shop".to_owned(),
            app: None,
            member: Some(Member {
                app: AppLabel::new("shop").unwrap(),
                class: class.to_owned(),
                method: method.map(str::to_owned),
            }),
            glob: None,
            label: "shop".to_owned(),
        };
        let missing = unmatched(&Selection::default(), &[&target], &inventory());
        missing.iter().map(note).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(told("CartTest", Some("test_add")), "");
    assert_eq!(
        told("CratTest", None),
        "app shop has no test class CratTest; did you mean CartTest?"
    );
    assert_eq!(
        told("CartTest", Some("test_ad")),
        "CartTest of app shop has no test test_ad; did you mean test_add?"
    );
}
