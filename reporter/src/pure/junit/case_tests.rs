//! Cases of many dialects and what they say.

use muletrain_proto::verdict::Verdict;

use super::*;

fn case(children: &[(&str, &str)]) -> Element {
    let children = children.iter().map(|(name, kind)| Element::new(name).with("type", *kind));
    Element { children: children.collect(), ..Element::new("testcase") }
}

fn verdict(children: &[(&str, &str)]) -> Verdict {
    read(&case(children)).verdict
}

#[test]
fn the_worst_of_several_results_counts_and_all_are_kept() {
    let told = read(&case(&[("skipped", ""), ("failure", "A"), ("error", "B"), ("failure", "C")]));
    assert_eq!(told.verdict, Verdict::Error);
    let kinds: Vec<&str> = told.failures.iter().map(|one| one.exception.as_str()).collect();
    assert_eq!(kinds, ["A", "B", "C"]);
}

#[test]
fn what_passed_after_failing_is_flaky() {
    let told = read(&case(&[("flakyFailure", "A"), ("flakyError", "B")]));
    assert_eq!((told.verdict, told.flaky, told.repeated.len()), (Verdict::Passed, true, 2));
    let told = read(&case(&[("failure", "A"), ("rerunFailure", "B")]));
    assert_eq!((told.verdict, told.flaky, told.repeated.len()), (Verdict::Failed, false, 1));
}

#[test]
fn our_own_words_and_those_of_pytest_are_understood() {
    for (element, kind, expected) in [
        ("skipped", "muletrain.NotRun", Verdict::NotRun),
        ("error", "muletrain.NotRun", Verdict::NotRun),
        ("skipped", "muletrain.ExpectedFailure", Verdict::ExpectedFailure),
        ("skipped", "pytest.xfail", Verdict::ExpectedFailure),
        ("skipped", "pytest.skip", Verdict::Skipped),
        ("failure", "muletrain.UnexpectedSuccess", Verdict::UnexpectedSuccess),
        ("error", "muletrain.Crashed", Verdict::Crashed),
        ("error", "muletrain.TimedOut", Verdict::TimedOut),
        ("ignored", "", Verdict::Skipped),
    ] {
        assert_eq!(verdict(&[(element, kind)]), expected, "{element} {kind}");
    }
    assert!(read(&case(&[("error", "muletrain.NotRun")])).lost);
}

#[test]
fn a_status_counts_where_no_element_says_how_it_ended() {
    let said = |name: &str, word: &str| read(&Element::new("testcase").with(name, word)).verdict;
    assert_eq!(said("status", "run"), Verdict::Passed);
    assert_eq!(said("status", "notrun"), Verdict::Skipped);
    assert_eq!(said("result", "suppressed"), Verdict::Skipped);
    assert_eq!(said("status", "FAILED"), Verdict::Failed);
    let told = read(&case(&[("skipped", "")]).with("status", "failed"));
    assert_eq!(told.verdict, Verdict::Skipped);
}

#[test]
fn a_failure_without_a_message_shows_its_last_line() {
    let failure = Element::new("failure").with_text("Traceback\n  File x\nValueError: no\n");
    let told = read(&Element::new("testcase").with_child(failure));
    assert_eq!(told.failures[0].message, "ValueError: no");
    assert_eq!(told.failures[0].exception, "failure");
}
