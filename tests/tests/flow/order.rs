//! The order in which tests run, and what is run again: `--reproduce`, `--isolate`, `--rerun`,
//! `--retries`, `--until-failure`, `--shuffle`.

use std::fs;
use std::process::Command;

use muletrain_proto::event::Event;
use muletrain_proto::journal::Record;
use muletrain_proto::snapshot::Content;
use muletrain_proto::verdict::Verdict;
use muletrain_tests::engine;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Journal;
use muletrain_tests::program::output;
use muletrain_tests::project;

use crate::patient;

in_both_runtimes!(
    a_failure_that_depends_on_order_is_repeated_and_traced_to_its_cause,
    a_test_that_passes_when_it_is_tried_again_is_flaky,
    what_failed_runs_again_alone_until_nothing_is_left,
    a_run_is_repeated_until_it_is_red_each_time_in_another_order,
    a_seed_gives_the_same_order_again,
);

/// A test that fails after its class-mate, and passes alone.
const UNSTEADY_TESTS: &str = "
from django.test import SimpleTestCase


class CartTest(SimpleTestCase):
    used = False

    def test_steady(self):
        CartTest.used = True

    def test_unsteady(self):
        self.assertFalse(CartTest.used)
";

const STEADY: &str = "app.tests.CartTest.test_steady";
const UNSTEADY: &str = "app.tests.CartTest.test_unsteady";

fn unsteady() -> Flow {
    Flow::small(&[("app/tests.py", UNSTEADY_TESTS)])
}

fn journals(flow: &Flow) -> Vec<Journal> {
    flow.runs().iter().filter_map(|run| Journal::read(run)).collect()
}

fn a_failure_that_depends_on_order_is_repeated_and_traced_to_its_cause(runtime: &str) {
    let flow = Flow::sample("order");
    let red = "stock.tests.test_zone.ZoneTest.test_rounds_up_by_default";
    flow.run(runtime, &[]).end().expect(1);
    assert_eq!(journals(&flow)[0].verdicts().get(red), Some(&Verdict::Failed));

    let again = flow.run(runtime, &["--reproduce", "test_rounds_up_by_default"]).end();
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

    let found = flow.run(runtime, &["--isolate", red]).end();
    found.expect(1);
    let told =
        format!("{red} fails only after:\n  stock.tests.test_total.TotalTest.test_rounds_down\n");
    assert!(found.stdout.ends_with(&told), "{}", found.stdout);

    // The failure is repeated as it was, whatever the checkout is now.
    project::write(&flow.project, "stock/tests/test_total.py", "");
    flow.run(runtime, &["--reproduce", red, "--rerun", &run]).end().expect(1);
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

fn a_test_that_passes_when_it_is_tried_again_is_flaky(runtime: &str) {
    let flow = unsteady();
    let ended = flow.run(runtime, &["--retries", "1"]).end();
    ended.expect(0);
    assert!(ended.stdout.contains("1 passed, 1 flaky"), "{}", ended.stdout);
    let junit = fs::read_to_string(flow.junit()).unwrap();
    assert!(junit.contains("<flakyFailure"), "{junit}");

    let ended = flow.run(runtime, &["--retries", "1", "--flaky", "fail"]).end();
    ended.expect(1);
    assert!(ended.stdout.contains("makes the run red"), "{}", ended.stdout);
}

fn what_failed_runs_again_alone_until_nothing_is_left(runtime: &str) {
    let flow = unsteady();
    flow.run(runtime, &[]).end().expect(1);
    flow.run(runtime, &["--rerun", "last"]).end().expect(0);
    let again = &journals(&flow)[1];
    let verdicts = again.verdicts();
    assert_eq!((verdicts.get(UNSTEADY), verdicts.get(STEADY)), (Some(&Verdict::Passed), None));

    let ended = flow.run(runtime, &["--rerun", "last"]).end();
    ended.expect(0);
    assert!(ended.stderr.contains("left nothing to run again"), "{}", ended.stderr);
    assert_eq!(flow.runs().len(), 2, "nothing was run");
    let ended = flow.run(runtime, &["--rerun", "1999"]).end();
    ended.expect(2);
    assert!(ended.stderr.contains("the newest is"), "{}", ended.stderr);
}

/// The test that asks how it shall end.
const ASKING: &str = "app.tests.AskingTest.test_asks";

/// A flow whose test waits to be told how it shall end, and the file that tells it.
fn asking(runtime: &str) -> (Flow, String) {
    let flow = Flow::small(&[]);
    let file = match runtime {
        "docker" => "/tmp/answer".to_owned(),
        _ => flow.path("answer").display().to_string(),
    };
    let text = format!(
        "import pathlib\nimport time\n\n\
         from django.test import SimpleTestCase\n\n\
         ANSWER = pathlib.Path({file:?})\n\n\n\
         class AskingTest(SimpleTestCase):\n    \
             def test_asks(self):\n        \
                 latest = time.monotonic() + 120\n        \
                 while not ANSWER.exists() and time.monotonic() < latest:\n            \
                     time.sleep(0.05)\n        \
                 answer = ANSWER.read_text()\n        \
                 ANSWER.unlink()\n        \
                 self.assertEqual(answer, 'pass')\n"
    );
    project::write(&flow.project, "app/tests.py", &text);
    (flow, file)
}

/// Tells the test of [`asking`] in a pod how to end. It never sees half an answer.
fn answer(runtime: &str, pod: &str, file: &str, word: &str) {
    let script = format!("printf {word} > {file}.new && mv {file}.new {file}");
    match runtime {
        "docker" => drop(engine::docker(&["exec", pod, "sh", "-c", &script])),
        _ => drop(output(Command::new("sh").args(["-c", &script]))),
    }
}

fn a_run_is_repeated_until_it_is_red_each_time_in_another_order(runtime: &str) {
    let (flow, file) = asking(runtime);
    let mut running = flow.run(runtime, &["--until-failure", "9", "--shuffle"]);
    for (number, word) in ["pass", "pass", "fail"].into_iter().enumerate() {
        let pod = running.until("a test that asks", |_| {
            journals(&flow).get(number).and_then(|journal| patient::pod_of(journal, ASKING))
        });
        answer(runtime, &pod, &file, word);
    }
    let ended = running.end();
    ended.expect(1);
    let mut seeds: Vec<u64> = journals(&flow).iter().filter_map(seed).collect();
    assert_eq!(seeds.len(), 3, "the first red run is the last one");
    assert!(ended.stdout.contains("Repetition 3 of at most 9"), "{}", ended.stdout);
    assert!(ended.stdout.contains(&format!("`--seed {}`", seeds[2])), "{}", ended.stdout);
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 3, "every repetition has a seed of its own");
}

fn seed(journal: &Journal) -> Option<u64> {
    match journal.records.first() {
        Some(Record::Opened { options, .. }) => options.shuffle,
        _ => None,
    }
}

fn a_seed_gives_the_same_order_again(runtime: &str) {
    let methods = ('a'..='h').map(|letter| format!("    def test_{letter}(self):\n        pass\n"));
    let text = format!(
        "from django.test import SimpleTestCase\n\n\nclass ManyTest(SimpleTestCase):\n{}",
        methods.collect::<Vec<_>>().join("\n")
    );
    let flow = Flow::small(&[("app/tests.py", &text)]);
    let [shuffled, again] = ["--shuffle", "--seed"].map(|order| {
        let seed = journals(&flow).first().and_then(seed).map(|seed| seed.to_string());
        let order = [Some(order), seed.as_deref()];
        flow.run(runtime, &order.into_iter().flatten().collect::<Vec<_>>()).end().expect(0);
        started(&flow.journal().expect("a run leaves its journal"))
    });
    assert_eq!(shuffled.len(), 8);
    assert_eq!(shuffled, again);
}

/// Tests in the order in which they were started.
fn started(journal: &Journal) -> Vec<String> {
    let started = journal.events().filter_map(|(_, event)| match event {
        Event::Started { test, .. } => Some(test.to_string()),
        _ => None,
    });
    started.collect()
}
