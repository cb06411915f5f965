//! Agents that come, go, lose their scheduler or are killed, and what they leave behind: nothing.

mod support;

use std::time::Duration;

use muletrain_proto::event::Event;
use muletrain_proto::link::{Hello, RunBrief, ToAgent, ToScheduler};
use muletrain_proto::outcome::Ending;
use rustix::process::Signal;
use support::agent::{Agent, processes_of};
use support::flow::{WAITING, attached, lease_until_it_runs};
use support::project::{process_brief, small_project};
use support::scheduler::{Connection, HEARTBEAT, Scheduler, key};
use tempfile::TempDir;

/// Within this time nothing may be left of an agent that is gone.
const CLEAN: Duration = Duration::from_secs(10);

/// A test that waits until a file beside its project appears.
const PATIENT: &str = "
import pathlib, time
from django.test import SimpleTestCase
class T(SimpleTestCase):
    def test_a(self):
        pass
    def test_waits(self):
        while not pathlib.Path('GO').exists():
            time.sleep(0.02)
";

/// An agent with a pod in which a test waits.
struct Busy {
    scheduler: Scheduler,
    agent: Agent,
    connection: Connection,
    brief: RunBrief,
    project: TempDir,
}

impl Busy {
    async fn with(tests: &str) -> Self {
        let project = small_project("");
        let go = project.path().join("GO");
        let tests = tests.replace("GO", &go.to_string_lossy());
        std::fs::write(project.path().join("app/tests.py"), tests).expect("it can be written");
        let brief = process_brief(project.path(), &["app"]);
        let mut scheduler = Scheduler::start();
        let (agent, mut connection) = attached(&mut scheduler, "process").await;
        lease_until_it_runs(&mut connection, &brief).await;
        Self { scheduler, agent, connection, brief, project }
    }

    fn let_go(&self) {
        std::fs::write(self.project.path().join("GO"), "").expect("it can be written");
    }

    fn is_clean(&self) -> bool {
        processes_of(self.brief.run.as_str()) == 0 && self.agent.pod_folders() == 0
    }
}

#[tokio::test]
async fn a_killed_agent_leaves_nothing_behind() {
    let busy = Busy::with(WAITING).await;
    support::eventually("the pod runs", || processes_of(busy.brief.run.as_str()) == 3).await;
    busy.agent.signal(Signal::KILL);
    support::within(CLEAN, "everything is gone", || busy.is_clean()).await;
}

#[tokio::test]
async fn sigterm_finishes_what_is_held_and_takes_nothing_new() {
    let mut busy = Busy::with(PATIENT).await;
    busy.connection.reports_until(|event| matches!(event, Event::Started { .. })).await;
    busy.agent.signal(Signal::TERM);
    assert_eq!(busy.connection.said().await, ToScheduler::Draining);
    let held = ToScheduler::Heartbeat(vec![key(&busy.brief.run, 1)]);
    assert_eq!(busy.connection.next().await, held, "heartbeats go on");

    busy.connection.lease_app(&busy.brief, 2, "app");
    let refused = busy.connection.report().await;
    assert_eq!((refused.lease.lease.0, refused.sequence), (2, 1));
    assert!(matches!(refused.event, Event::Ended(Ending::Infrastructure { .. })));

    busy.let_go();
    let (_, ending) = busy.connection.reports_until_ended().await;
    assert_eq!(ending, Ending::Closed);
    assert_eq!(busy.agent.exit().await.code(), Some(0));
    assert!(busy.is_clean());
}

#[tokio::test]
async fn a_second_sigterm_gives_up_what_is_held() {
    let mut busy = Busy::with(WAITING).await;
    busy.agent.signal(Signal::TERM);
    assert_eq!(busy.connection.said().await, ToScheduler::Draining);
    busy.agent.signal(Signal::TERM);
    let (_, ending) = busy.connection.reports_until_ended().await;
    let reason = "the agent was told to stop".to_owned();
    assert_eq!(ending, Ending::Infrastructure { reason });
    assert_eq!(busy.agent.exit_within(CLEAN).await.code(), Some(0));
    assert!(busy.is_clean());
}

#[tokio::test]
async fn sigint_gives_up_at_once() {
    let mut busy = Busy::with(WAITING).await;
    busy.agent.signal(Signal::INT);
    assert_eq!(busy.agent.exit_within(CLEAN).await.code(), Some(130));
    assert!(busy.is_clean());
}

#[tokio::test]
async fn an_attached_agent_goes_with_the_program_that_started_it() {
    let mut scheduler = Scheduler::start();
    let mut agent = Agent::start(&scheduler, &["--runtime", "process", "--attached"]);
    let (_connection, hello) = scheduler.welcome().await;
    assert_ne!(hello.agent.as_str(), hello.host, "several may run on one host");
    drop(agent.take_input());
    assert_eq!(agent.exit_within(CLEAN).await.code(), Some(0));
}

#[tokio::test]
async fn an_attached_agent_leaves_no_folder_of_its_own() {
    let mut scheduler = Scheduler::start();
    let home = tempfile::tempdir().unwrap();
    let agents = home.path().join("muletrain/agents");
    let mut agent = Agent::attached(&scheduler, home.path());
    let (_connection, hello) = scheduler.welcome().await;
    assert!(agents.join(hello.agent.as_str()).exists());
    drop(agent.take_input());
    agent.exit_within(CLEAN).await;
    let is_empty = || std::fs::read_dir(&agents).unwrap().next().is_none();
    support::within(CLEAN, "the folder is gone", is_empty).await;
}

#[tokio::test]
async fn a_refused_agent_says_why_and_ends() {
    let mut scheduler = Scheduler::start();
    let mut agent = Agent::start(&scheduler, &["--runtime", "process"]);
    let mut connection = scheduler.accept().await;
    connection.refuse(tonic::Status::failed_precondition("this name is taken"));
    assert_eq!(agent.exit().await.code(), Some(4));
}

#[tokio::test]
async fn one_folder_has_one_agent() {
    let mut scheduler = Scheduler::start();
    let first = Agent::start(&scheduler, &["--runtime", "process"]);
    scheduler.welcome().await;
    let mut second = Agent::start_in(&scheduler, first.state.clone(), &["--runtime", "process"]);
    assert_eq!(second.exit().await.code(), Some(4));
}

#[tokio::test]
async fn heartbeats_name_what_is_held() {
    let mut busy = Busy::with(WAITING).await;
    let begun = std::time::Instant::now();
    for _ in 0..5 {
        let held = ToScheduler::Heartbeat(vec![key(&busy.brief.run, 1)]);
        assert_eq!(busy.connection.next().await, held);
    }
    assert!(begun.elapsed() >= HEARTBEAT * 3);
}

#[tokio::test]
async fn a_lost_stream_loses_no_event_and_runs_none_again() {
    let mut busy = Busy::with(PATIENT).await;
    busy.connection.acknowledges = false;
    let before = busy.connection.report().await;
    busy.scheduler.stop(&mut busy.connection);
    busy.let_go();
    busy.scheduler.restart();

    let (mut connection, hello) = busy.scheduler.welcome().await;
    assert_eq!(hello.leases, [key(&busy.brief.run, 1)]);
    let mut sequences = Vec::new();
    let last = loop {
        let report = connection.report().await;
        sequences.push(report.sequence);
        if let Event::Ended(ending) = report.event {
            break ending;
        }
    };
    assert_eq!(last, Ending::Closed);
    assert_eq!(sequences.first(), Some(&before.sequence), "what was not acknowledged comes again");
    assert!(sequences.is_sorted_by(|one, next| one + 1 == *next), "{sequences:?}");
}

#[tokio::test]
async fn a_lease_that_is_unwanted_after_a_reconnect_is_let_go() {
    let mut busy = Busy::with(WAITING).await;
    busy.scheduler.stop(&mut busy.connection);
    busy.scheduler.restart();
    let (mut connection, Hello { leases, .. }) = busy.scheduler.welcome().await;
    let lease = leases.into_iter().next().unwrap();
    connection.send(ToAgent::Revoke { lease, reason: "another agent has it".to_owned() });
    let (_, ending) = connection.reports_until_ended().await;
    assert_eq!(ending, Ending::Revoked);
    support::within(CLEAN, "everything is gone", || busy.is_clean()).await;
}
