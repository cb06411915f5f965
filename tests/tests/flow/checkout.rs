//! What happens to the checkout during a run changes nothing in its result.

use std::fs;

use muletrain_proto::event::Event;
use muletrain_proto::lease::Work;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Journal;
use muletrain_tests::oracle::{self, differences};
use muletrain_tests::project::{commit, git, write};

const APPS: [&str; 4] = ["cart", "orders", "accounts", "blog"];

in_both_runtimes!(of_another_branch_changes_nothing);

fn of_another_branch_changes_nothing(runtime: &str) {
    let flow = Flow::sample("site");
    make_other_branch(&flow);
    let mut run = flow.run(runtime, &APPS);
    run.until("the first app's event", |_| flow.journal().filter(an_app_has_begun));
    git(&flow.project, &["checkout", "--quiet", "other"]);
    let meanwhile = flow.journal().expect("it was there before");
    assert!(meanwhile.leased().filter_map(Work::app).count() < APPS.len(), "all have begun");

    run.end().expect(1);
    assert!(!flow.project.join("orders/tests").exists(), "the branch is checked out");
    let verdicts = flow.journal().expect("a run leaves its journal").verdicts();
    assert_eq!(differences(&verdicts, &oracle::of_apps(oracle::site(), &APPS)), [""; 0]);
}

/// A branch on which no test of these apps is what it was.
fn make_other_branch(flow: &Flow) {
    let project = &flow.project;
    git(project, &["checkout", "--quiet", "-b", "other"]);
    fs::remove_dir_all(project.join("orders/tests")).unwrap();
    fs::remove_dir_all(project.join("accounts/tests")).unwrap();
    write(project, "config/settings.py", "raise RuntimeError('the other branch')\n");
    write(project, "cart/tests/test_other.py", "raise RuntimeError('the other branch')\n");
    write(project, "blog/models.py", "raise RuntimeError('the other branch')\n");
    commit(project, "another branch");
    git(project, &["checkout", "--quiet", "main"]);
}

fn an_app_has_begun(journal: &Journal) -> bool {
    let collection = journal.leased().position(|work| matches!(work, Work::Collect { .. }));
    let collection = collection.and_then(|place| u32::try_from(place + 1).ok());
    let begun = |event: &Event| matches!(event, Event::PodStarted(_));
    journal.events().any(|(lease, event)| Some(lease.0) != collection && begun(event))
}
