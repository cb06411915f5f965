//! The usual course of things, for tests that look at what differs from it.

use muletrain_proto::event::{Event, Warming};
use muletrain_proto::link::{RunBrief, ToScheduler};
use muletrain_proto::outcome::Ending;

use super::agent::Agent;
use super::engine::containers_of;
use super::scheduler::{Connection, Scheduler};

/// A test that waits, with a process in the background that left its group and its session.
pub const WAITING: &str = "
import subprocess, time
from django.test import SimpleTestCase
class T(SimpleTestCase):
    def test_waits(self):
        subprocess.Popen(['sleep', '300'], start_new_session=True, stdout=subprocess.DEVNULL)
        time.sleep(300)
";

/// An agent of two slots with an open stream.
pub async fn attached(scheduler: &mut Scheduler, runtime: &str) -> (Agent, Connection) {
    let id = format!("test-{:08x}", fastrand::u32(..));
    let agent = Agent::start(scheduler, &["--runtime", runtime, "--slots", "2", "--id", &id]);
    let (mut connection, hello) = scheduler.welcome().await;
    assert_eq!((hello.slots, hello.agent.as_str(), hello.leases), (2, id.as_str(), vec![]));
    assert_eq!(connection.said().await, ToScheduler::Credit(2));
    (agent, connection)
}

/// What an agent says of kept databases, in a word each.
pub fn warming(events: &[Event]) -> Vec<&'static str> {
    let word = |event: &Event| match event {
        Event::Warming(Warming::Begun) => Some("begun"),
        Event::Warming(Warming::Found) => Some("found"),
        Event::Warming(Warming::Made { .. }) => Some("made"),
        Event::Warming(Warming::Failed { .. }) => Some("failed"),
        Event::PodStarted(_) => Some("pod started"),
        Event::Ready(ready) if ready.databases.iter().any(|database| database.warm) => Some("warm"),
        Event::Ready(_) => Some("fresh"),
        _ => None,
    };
    events.iter().filter_map(word).collect()
}

/// Runs one app to the end of its lease, and sees that nothing is left of it.
pub async fn run_app(runtime: &str, brief: &RunBrief, app: &str) -> (Vec<Event>, Ending) {
    let mut scheduler = Scheduler::start();
    let (agent, mut connection) = attached(&mut scheduler, runtime).await;
    connection.lease_app(brief, 1, app);
    let (events, ending) = connection.reports_until_ended().await;
    assert_eq!(connection.said().await, ToScheduler::Credit(1));
    match runtime {
        "docker" => assert!(containers_of(brief).is_empty(), "nothing is left of the pod"),
        _ => assert_eq!(agent.pod_folders(), 0, "nothing is left of the pod"),
    }
    (events, ending)
}

/// Leases `app`, and waits until its first test runs.
pub async fn lease_until_it_runs(connection: &mut Connection, brief: &RunBrief) {
    connection.lease_app(brief, 1, "app");
    connection.reports_until(|event| matches!(event, Event::Started { .. })).await;
}
