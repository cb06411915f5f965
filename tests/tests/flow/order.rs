//! The order in which tests run, and what is run again: `--reproduce`, `--isolate`, `--rerun`,
//! `--retries`, `--until-failure`, `--shuffle`.

use std::fs;

use muletrain_proto::journal::Record;
use muletrain_proto::snapshot::Content;
use muletrain_proto::verdict::Verdict;
use muletrain_tests::engine;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Journal;
use muletrain_tests::project;

/// A test that fails as often as a file has lines to spare, and one that never does.
fn unsteady(failures: usize) -> Flow {
    let flow = Flow::small(&[]);
    let file = flow.path("failures");
    fs::write(&file, "x\n".repeat(failures)).unwrap();
    let text = format!(
        "from pathlib import Path\n\n\
         from django.test import SimpleTestCase\n\n\
         FILE = Path({:?})\n\n\n\
         class CartTest(SimpleTestCase):\n    \
             def test_steady(self):\n        \
                 pass\n\n    \
             def test_unsteady(self):\n        \
                 left = FILE.read_text().splitlines()\n        \
                 FILE.write_text('\\n'.join(left[1:]))\n        \
                 self.assertEqual(left, [])\n",
        file.display().to_string()
    );
    project::write(&flow.project, "app/tests.py", &text);
    flow
}

const STEADY: &str = "app.tests.CartTest.test_steady";
const UNSTEADY: &str = "app.tests.CartTest.test_unsteady";

fn journals(flow: &Flow) -> Vec<Journal> {
    flow.runs().iter().filter_map(|run| Journal::read(run)).collect()
}

#[test]
fn a_failure_that_depends_on_order_is_repeated_and_traced_to_its_cause() {
    let flow = Flow::sample("order");
    let red = "stock.tests.test_zone.ZoneTest.test_rounds_up_by_default";
    flow.run("process", &[]).end().expect(1);
    assert_eq!(journals(&flow)[0].verdicts().get(red), Some(&Verdict::Failed));

    let again = flow.run("process", &["--reproduce", "test_rounds_up_by_default"]).end();
    again.expect(1);
    let run = flow.runs()[0].file_name().unwrap().to_string_lossy().into_owned();
    let first =
        "stock.tests.test_many.ManyTest.test_none to stock.tests.test_zone.ZoneTest.test_empty";
    let told = format!(
        "--reproduce {red} --rerun {run}  # snapshot {}, after 6 tests, {first}, no seed\n",
        snapshot(&journals(&flow)[0])
    );
    assert!(again.stdout.contains(&told), "not {told}: {}", again.stdout);
    let repeated = &journals(&flow)[1];
    assert_eq!(repeated.verdicts().len(), 7, "all that ran before it");
    assert_eq!(repeated.verdicts().get(red), Some(&Verdict::Failed));

    let found = flow.run("process", &["--isolate", red]).end();
    found.expect(1);
    let told =
        format!("{red} fails only after:\n  stock.tests.test_total.TotalTest.test_rounds_down\n");
    assert!(found.stdout.ends_with(&told), "{}", found.stdout);

    // The failure is repeated as it was, whatever the checkout is now.
    project::write(&flow.project, "stock/tests/test_total.py", "");
    flow.run("process", &["--reproduce", red, "--rerun", &run]).end().expect(1);
}

fn snapshot(journal: &Journal) -> String {
    match journal.records.first() {
        Some(Record::Opened { snapshot, .. }) => snapshot.id.to_string(),
        other => panic!("a journal begins with its run: {other:?}"),
    }
}

#[test]
fn a_failure_is_repeated_in_the_image_it_failed_in_for_as_long_as_that_is_there() {
    engine::prepare();
    let flow = Flow::sample("order");
    let red = "stock.tests.test_zone.ZoneTest.test_rounds_up_by_default";
    flow.run("docker", &[]).end().expect(1);
    let image = match journals(&flow)[0].records.first() {
        Some(Record::Opened { snapshot, .. }) => match &snapshot.content {
            Content::Docker { image, .. } => image.clone(),
            other => panic!("not in an image: {other:?}"),
        },
        other => panic!("a journal begins with its run: {other:?}"),
    };
    project::write(&flow.project, "stock/tests/test_total.py", "");

    let again = flow.run("docker", &["--reproduce", red]).end();
    again.expect(1);
    assert!(!again.stderr.contains("builder: "), "nothing is built: {}", again.stderr);
    let ids: Vec<String> = journals(&flow).iter().map(snapshot).collect();
    assert_eq!(ids[0], ids[1]);
    assert!(again.stdout.contains(&format!("# snapshot {}, after ", ids[0])), "{}", again.stdout);

    engine::docker(&["rmi", "--force", &image]);
    let again = flow.run("docker", &["--reproduce", red]).end();
    again.expect(0);
    let told = format!("snapshot {} of run ", ids[0]);
    assert!(again.stderr.contains(&told), "{}", again.stderr);
    assert!(again.stderr.contains("the checkout as it is takes its place"), "{}", again.stderr);
}

#[test]
fn a_test_that_passes_when_it_is_tried_again_is_flaky() {
    let flow = unsteady(1);
    let ended = flow.run("process", &["--retries", "1"]).end();
    ended.expect(0);
    assert!(ended.stdout.contains("1 passed, 1 flaky"), "{}", ended.stdout);
    let junit = fs::read_to_string(flow.junit()).unwrap();
    assert!(junit.contains("<flakyFailure"), "{junit}");

    fs::write(flow.path("failures"), "x\n").unwrap();
    let ended = flow.run("process", &["--retries", "1", "--flaky", "fail"]).end();
    ended.expect(1);
    assert!(ended.stdout.contains("makes the run red"), "{}", ended.stdout);
}

#[test]
fn what_failed_runs_again_alone_until_nothing_is_left() {
    let flow = unsteady(1);
    flow.run("process", &[]).end().expect(1);
    flow.run("process", &["--rerun", "last"]).end().expect(0);
    let again = &journals(&flow)[1];
    let verdicts = again.verdicts();
    assert_eq!((verdicts.get(UNSTEADY), verdicts.get(STEADY)), (Some(&Verdict::Passed), None));

    let ended = flow.run("process", &["--rerun", "last"]).end();
    ended.expect(0);
    assert!(ended.stderr.contains("left nothing to run again"), "{}", ended.stderr);
    assert_eq!(flow.runs().len(), 2, "nothing was run");
    let ended = flow.run("process", &["--rerun", "1999"]).end();
    ended.expect(2);
    assert!(ended.stderr.contains("the newest is"), "{}", ended.stderr);
}

#[test]
fn a_run_is_repeated_until_it_is_red_each_time_in_another_order() {
    let flow = unsteady(0);
    let mut command = flow.run_command("process", &["--until-failure", "9", "--shuffle"]);
    let mut running = flow.start(&mut command);
    running.until("two runs", |_| {
        let closed = journals(&flow).into_iter().filter(Journal::is_closed).count();
        (closed >= 2).then_some(())
    });
    fs::write(flow.path("failures"), "x\n").unwrap();
    let ended = running.end();
    ended.expect(1);
    let journals = journals(&flow);
    let count = journals.len();
    assert!((3..=9).contains(&count), "{count} runs");
    assert!(ended.stdout.contains(&format!("Repetition {count} of at most 9")));
    let seeds = journals.iter().filter_map(|journal| match journal.records.first() {
        Some(Record::Opened { options, .. }) => options.shuffle,
        _ => None,
    });
    let mut seeds: Vec<u64> = seeds.collect();
    assert!(ended.stdout.contains(&format!("`--seed {}`", seeds[count - 1])));
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), count, "every repetition has a seed of its own");
}
