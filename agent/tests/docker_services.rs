//! What a pod of containers needs beside its tests: services and images.

mod support;

use std::time::Duration;

use muletrain_proto::link::RunBrief;
use muletrain_proto::outcome::Ending;
use muletrain_proto::snapshot::{Content, Ready, Service};
use support::engine::{containers_of, docker_brief, inspect, kill, service_image};
use support::flow::{WAITING, attached, lease_until_it_runs, run_app};
use support::project::{process_brief, sample, small_project};
use support::scheduler::{Scheduler, verdicts};

/// Why the host is to blame that `app` could not be run.
async fn infrastructure(brief: &RunBrief) -> String {
    match run_app("docker", brief, "app").await.1 {
        Ending::Infrastructure { reason } => reason,
        other => panic!("{other:?}"),
    }
}

fn service(image: String, ready: Ready) -> Service {
    Service {
        name: "db".to_owned(),
        image,
        user: None,
        command: vec![],
        environment: [("GREETING".to_owned(), "hello".to_owned())].into(),
        tmpfs: vec![],
        data: None,
        ready,
        ready_limit: Duration::from_secs(30).into(),
        aliases: vec!["database.internal".to_owned()],
        only: vec![],
        provides: [].into(),
        image_id: None,
    }
}

const SERVER: &str = r#"["python3", "-m", "http.server", "8000", "--directory", "/etc"]"#;

/// Asks the server itself.
fn probe() -> Ready {
    let ask = "import socket; socket.create_connection(('127.0.0.1', 8000), 1)";
    Ready::Command(["python3", "-c", ask].map(str::to_owned).to_vec())
}

const CLIENT: &str = "
import urllib.request
from django.test import SimpleTestCase
class T(SimpleTestCase):
    def test_service(self):
        for host in ('localhost', 'db', 'database.internal'):
            with urllib.request.urlopen('http://%s:8000/hostname' % host) as answer:
                self.assertEqual(answer.status, 200)
";

#[tokio::test]
async fn a_service_answers_under_its_names() {
    let project = small_project(CLIENT);
    let mut brief = docker_brief(project.path(), &["app"]);
    for ready in [probe(), Ready::Port(8000)] {
        brief.snapshot.services = vec![service(service_image("server", SERVER), ready)];
        let (events, ending) = run_app("docker", &brief, "app").await;
        assert_eq!(ending, Ending::Closed);
        assert_eq!(verdicts(&events), "app.tests.T.test_service passed");
    }
}

#[tokio::test]
async fn a_service_is_ready_once_its_log_says_so() {
    let late = r#"["sh", "-c", "echo not yet; sleep 1; python3 -m http.server 8000 --directory /etc & sleep 2; echo all ready; wait"]"#;
    let mut brief = docker_brief(small_project(CLIENT).path(), &["app"]);
    brief.snapshot.services =
        vec![service(service_image("late", late), Ready::Log("all ready".to_owned()))];
    let (events, ending) = run_app("docker", &brief, "app").await;
    assert_eq!(ending, Ending::Closed);
    assert_eq!(verdicts(&events), "app.tests.T.test_service passed");
}

#[tokio::test]
async fn a_service_that_does_not_get_ready_is_no_fault_of_the_tests() {
    let image = service_image("idle", r#"["sh", "-c", "echo thinking; sleep 300"]"#);
    let mut brief = docker_brief(small_project(CLIENT).path(), &["app"]);
    for ready in [probe(), Ready::Port(8000), Ready::Log("done".to_owned())] {
        brief.snapshot.services = vec![service(image.clone(), ready)];
        brief.snapshot.services[0].ready_limit = Duration::from_secs(2).into();
        assert_eq!(
            infrastructure(&brief).await,
            "service db was not ready within 2.0 s; the end of its log:\nthinking"
        );
    }
}

#[tokio::test]
async fn a_service_that_ends_before_it_is_ready_is_no_fault_of_the_tests() {
    let image = service_image("broken", r#"["sh", "-c", "echo cannot find my data; exit 3"]"#);
    let mut brief = docker_brief(small_project(CLIENT).path(), &["app"]);
    brief.snapshot.services = vec![service(image, probe())];
    insta::assert_snapshot!(infrastructure(&brief).await, @r"
    service db ended with status 3 before it was ready; the end of its log:
    cannot find my data
    ");
}

#[tokio::test]
async fn a_service_that_ends_midway_is_no_fault_of_the_tests() {
    let image = service_image("lasting", r#"["sh", "-c", "echo at your service; sleep 300"]"#);
    let mut brief = docker_brief(small_project(WAITING).path(), &["app"]);
    brief.snapshot.services = vec![service(image, Ready::Started)];
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler, "docker").await;
    lease_until_it_runs(&mut connection, &brief).await;
    let containers = containers_of(&brief);
    assert_eq!(containers.len(), 2);
    let is_service = |id: &&String| inspect(id, "{{.Name}}").ends_with("-service1");
    kill(containers.iter().find(is_service).unwrap());
    let (_, ending) = connection.reports_until_ended().await;
    let Ending::Infrastructure { reason } = ending else { panic!("{ending:?}") };
    insta::assert_snapshot!(reason, @r"
    service db ended with status 137 while tests ran; the end of its log:
    at your service
    ");
}

#[tokio::test]
async fn an_image_that_is_not_there_is_said_so() {
    let mut brief = docker_brief(small_project(CLIENT).path(), &["app"]);
    let Content::Docker { image, .. } = &mut brief.snapshot.content else { panic!() };
    *image = format!("sha256:{}", "0".repeat(64));
    insta::assert_snapshot!(infrastructure(&brief).await, @"image sha256:0000000000000000000000000000000000000000000000000000000000000000 is neither on this Docker Engine nor at the scheduler; submit the run again, which sends it there, or build the snapshot on this engine");
}

#[tokio::test]
async fn an_image_is_used_by_its_id_alone() {
    let mut brief = docker_brief(small_project(CLIENT).path(), &["app"]);
    let Content::Docker { image, .. } = &mut brief.snapshot.content else { panic!() };
    let id = std::mem::replace(image, "muletrain-test-base:bookworm".to_owned());
    let reason = infrastructure(&brief).await;
    assert!(reason.starts_with("image muletrain-test-base:bookworm turned out to be sha256:"));
    assert!(!reason.contains(&id));
}

#[tokio::test]
async fn an_image_for_other_machines_is_refused() {
    let mut brief = docker_brief(small_project(CLIENT).path(), &["app"]);
    let Content::Docker { platform, .. } = &mut brief.snapshot.content else { panic!() };
    *platform = "linux/s390x".to_owned();
    assert!(infrastructure(&brief).await.ends_with("the snapshot says linux/s390x"));
}

#[tokio::test]
async fn a_snapshot_of_the_other_runtime_is_refused() {
    let brief = process_brief(&sample("faults"), &["app"]);
    insta::assert_snapshot!(infrastructure(&brief).await, @"the snapshot is made for the process runtime and this agent runs docker; build it for docker, or start an agent with --runtime process");
}
