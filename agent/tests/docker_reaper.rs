//! What agents leave on an engine: nothing of their own, and everything of others.

mod support;

use std::process::Command;
use std::time::Duration;

use muletrain_proto::event::{Event, Warming};
use muletrain_proto::link::{RunBrief, ToAgent};
use muletrain_proto::outcome::Ending;
use rustix::process::Signal;
use support::agent::Agent;
use support::engine::{containers_of, docker_brief};
use support::flow::{WAITING, attached, lease_until_it_runs};
use support::project::{migrating_project, run, small_project};
use support::scheduler::{Connection, Scheduler};

/// Within this time nothing may be left of an agent that is gone.
const CLEAN: Duration = Duration::from_secs(10);

async fn busy() -> (Scheduler, Agent, Connection, RunBrief) {
    let brief = docker_brief(small_project(WAITING).path(), &["app"]);
    let mut scheduler = Scheduler::start();
    let (agent, mut connection) = attached(&mut scheduler, "docker").await;
    lease_until_it_runs(&mut connection, &brief).await;
    assert_eq!(containers_of(&brief).len(), 1);
    (scheduler, agent, connection, brief)
}

#[tokio::test]
async fn a_killed_agent_leaves_no_container() {
    let (_scheduler, agent, _connection, brief) = busy().await;
    agent.signal(Signal::KILL);
    support::within(CLEAN, "no container is left", || containers_of(&brief).is_empty()).await;
}

#[tokio::test]
async fn an_interrupted_agent_leaves_no_container() {
    let (_scheduler, mut agent, _connection, brief) = busy().await;
    agent.signal(Signal::INT);
    assert_eq!(agent.exit_within(CLEAN).await.code(), Some(130));
    assert!(containers_of(&brief).is_empty());
}

/// A container that is left behind, as far as its labels say.
struct Leftover(String);

impl Leftover {
    fn of(agent: &str) -> Self {
        let labels = [format!("muletrain.agent={agent}"), "muletrain.boot=earlier".to_owned()];
        let mut command = Command::new("docker");
        command.args(["create", "--network", "none"]);
        for label in labels {
            command.args(["--label", &label]);
        }
        Self(run(command.args(["muletrain-test-base:bookworm", "sleep", "300"])))
    }

    fn exists(&self) -> bool {
        let inspected = Command::new("docker").args(["inspect", &self.0]).output();
        inspected.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.0]).output();
    }
}

#[tokio::test]
async fn an_agent_removes_what_an_earlier_life_of_it_left_and_nothing_else() {
    docker_brief(small_project("").path(), &[]);
    let id = format!("test-{:08x}", fastrand::u32(..));
    let (own, other) = (Leftover::of(&id), Leftover::of("test-another-agent"));
    let mut scheduler = Scheduler::start();
    let _agent = Agent::start(&scheduler, &["--id", &id, "--slots", "1"]);
    let _connection = scheduler.welcome().await;
    support::eventually("the leftover is removed", || !own.exists()).await;
    assert!(other.exists());
}

#[tokio::test]
async fn a_pod_that_makes_databases_goes_with_a_revoked_lease_and_with_a_killed_agent() {
    let project = migrating_project("time.sleep(300)");
    let brief = docker_brief(project.path(), &["app"]);
    let mut scheduler = Scheduler::start();
    let (mut agent, mut connection) = attached(&mut scheduler, "docker").await;
    for number in [1, 2] {
        let lease = connection.lease_app(&brief, number, "app");
        connection.reports_until(|event| *event == Event::Warming(Warming::Begun)).await;
        support::eventually("a pod makes databases", || containers_of(&brief).len() == 1).await;
        if number == 1 {
            connection.send(ToAgent::Revoke { lease, reason: "test".to_owned() });
            let (_, ending) = connection.reports_until_ended().await;
            assert_eq!(ending, Ending::Revoked);
        } else {
            agent.signal(Signal::KILL);
            agent.exit().await;
        }
        support::eventually("it is gone", || containers_of(&brief).is_empty()).await;
    }
}
