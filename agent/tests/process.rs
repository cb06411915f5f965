//! Pods as host processes, with the real harness and real projects.

mod support;

use std::collections::BTreeMap;

use muletrain_proto::event::Event;
use muletrain_proto::id::SuiteName;
use muletrain_proto::lease::{Lease, Work};
use muletrain_proto::link::{ToAgent, ToScheduler};
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::Secrets;
use support::agent::processes_of;
use support::flow::{WAITING, attached, lease_until_it_runs, run_app};
use support::project::{process_brief, sample, small_project};
use support::scheduler::{Scheduler, key, seconds, verdicts};

#[tokio::test]
async fn an_app_is_run_and_its_slot_is_free_again() {
    let brief = process_brief(&sample("faults"), &["healthy"]);
    let (events, ending) = run_app("process", &brief, "healthy").await;
    assert_eq!(ending, Ending::Closed);
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| match event {
            Event::PodStarted(_) => "pod started",
            Event::Booted(_) => "booted",
            Event::Planned(_) => "planned",
            Event::Ready(_) => "ready",
            Event::Done { grant: 1 } => "done",
            Event::Closed(_) => "closed",
            _ => "",
        })
        .filter(|kind| !kind.is_empty())
        .collect();
    assert_eq!(kinds, ["pod started", "booted", "planned", "ready", "done", "closed"]);
    insta::assert_snapshot!(verdicts(&events), @r"
    healthy.tests.test_neighbour.NeighbourDatabaseTest.test_has_a_database passed
    healthy.tests.test_neighbour.NeighbourTest.test_has_memory passed
    healthy.tests.test_neighbour.NeighbourTest.test_starts_processes passed
    ");
}

#[tokio::test]
async fn tests_are_collected() {
    let brief = process_brief(&sample("faults"), &["healthy", "exits"]);
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler, "process").await;
    let key = key(&brief.run, 1);
    connection.send(ToAgent::Run(Box::new(brief)));
    let work = Work::Collect { labels: vec!["healthy".to_owned(), "exits".to_owned()] };
    connection.send(ToAgent::Lease(Lease {
        key,
        work,
        checks: false,
        suite: SuiteName::default(),
        without: vec![],
        time_left: None,
    }));
    let (events, ending) = connection.reports_until_ended().await;
    assert_eq!(ending, Ending::Closed);
    let inventory = events.iter().find_map(|event| match event {
        Event::Collected(collected) => Some(&collected.inventory),
        _ => None,
    });
    assert_eq!(inventory.unwrap().test_count(), 8);
}

#[tokio::test]
async fn a_test_that_leaves_with_status_zero_has_crashed() {
    let brief = process_brief(&sample("faults"), &["exits"]);
    let (events, ending) = run_app("process", &brief, "exits").await;
    let Ending::Crashed(death) = ending else { panic!("{ending:?}") };
    assert_eq!(death.running.unwrap().as_str(), "exits.tests.test_fault.ExitTest.test_exits");
    assert_eq!(death.reason, "exit with status 0 before the tests were through");
    assert_eq!(death.output.text.trim(), "printed before the exit");
    insta::assert_snapshot!(verdicts(&events), @"exits.tests.test_fault.ExitTest.test_a_before passed");
}

#[tokio::test]
async fn a_segmentation_fault_shows_its_stack() {
    let brief = process_brief(&sample("faults"), &["segfaults"]);
    let (_, ending) = run_app("process", &brief, "segfaults").await;
    let Ending::Crashed(death) = ending else { panic!("{ending:?}") };
    assert_eq!(death.reason, "segmentation fault (signal 11)");
    assert!(death.stderr.contains("Fatal Python error: Segmentation fault"), "{}", death.stderr);
}

#[tokio::test]
async fn a_test_over_its_limit_is_ended() {
    let mut brief = process_brief(&sample("faults"), &["hangs"]);
    brief.options.test_timeout = Some(seconds(1.0));
    let (events, ending) = run_app("process", &brief, "hangs").await;
    assert_eq!(ending, Ending::TimedOut);
    let Some(Event::TimedOut(timed_out)) = events.last() else { panic!("{events:?}") };
    assert!(timed_out.stacks.contains("test_computes_for_ever"), "{}", timed_out.stacks);
}

const ENVIRONMENT: &str = "
import getpass, os, pathlib, tempfile
from django.test import SimpleTestCase
class T(SimpleTestCase):
    def test_set(self):
        self.assertEqual(os.environ['MODE'], 'test')
    def test_secret(self):
        self.assertEqual(os.environ['API_KEY'], 'canary-7')
        self.assertNotIn(b'canary-7', pathlib.Path('/proc/self/environ').read_bytes())
    def test_nothing_else(self):
        self.assertNotIn('AGENT_CANARY', os.environ)
    def test_folders(self):
        pathlib.Path.home().joinpath('x').write_text('x')
        pathlib.Path('x').write_text('x')
        self.assertTrue(tempfile.mkdtemp().startswith(os.environ['TMPDIR']))
        self.assertTrue(getpass.getuser())
";

#[tokio::test]
async fn tests_see_what_the_project_says_and_nothing_else() {
    let project = small_project(ENVIRONMENT);
    let mut brief = process_brief(project.path(), &["app"]);
    brief.snapshot.environment.set = BTreeMap::from([("MODE".to_owned(), "test".to_owned())]);
    brief.secrets = Secrets(BTreeMap::from([("API_KEY".to_owned(), "canary-7".to_owned())]));
    let (events, ending) = run_app("process", &brief, "app").await;
    assert_eq!(ending, Ending::Closed);
    insta::assert_snapshot!(verdicts(&events), @r"
    app.tests.T.test_folders passed
    app.tests.T.test_nothing_else passed
    app.tests.T.test_secret passed
    app.tests.T.test_set passed
    ");
    assert!(!project.path().join("x").exists(), "tests write into a copy");
}

#[tokio::test]
async fn a_revoked_pod_is_gone_at_once_with_all_it_started() {
    let project = small_project(WAITING);
    let brief = process_brief(project.path(), &["app"]);
    let mut scheduler = Scheduler::start();
    let (agent, mut connection) = attached(&mut scheduler, "process").await;
    lease_until_it_runs(&mut connection, &brief).await;
    let lease = key(&brief.run, 1);
    let run = brief.run.as_str();
    support::eventually("the background process runs", || processes_of(run) == 3).await;

    connection.send(ToAgent::Revoke { lease, reason: "test".to_owned() });
    assert_eq!(connection.report().await.event, Event::Ended(Ending::Revoked));
    assert_eq!(connection.said().await, ToScheduler::Credit(1));
    assert_eq!((processes_of(run), agent.pod_folders()), (0, 0));
}
