//! Pods as containers, on the real engine of this host, with the real harness.

mod support;

use muletrain_proto::event::Event;
use muletrain_proto::link::{RunBrief, ToAgent, ToScheduler};
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::Secrets;
use muletrain_proto::snapshot::{Content, Service};
use support::agent::Agent;
use support::engine::{containers_of, docker_brief, inspect, kill, service_image};
use support::project::{process_brief, sample, small_project};
use support::scheduler::{Connection, Scheduler, verdicts};

/// An agent with an open stream and two slots.
async fn attached(scheduler: &mut Scheduler) -> (Agent, Connection) {
    let id = format!("docker-test-{:08x}", fastrand::u32(..));
    let arguments = ["--runtime", "docker", "--slots", "2", "--id", &id];
    let agent = Agent::start(scheduler, &arguments);
    let (mut connection, _) = scheduler.welcome().await;
    assert_eq!(connection.said().await, ToScheduler::Credit(2));
    (agent, connection)
}

/// Runs one app to the end of its lease, and sees that nothing is left of it.
async fn run_app(brief: &RunBrief, app: &str) -> (Vec<Event>, Ending) {
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler).await;
    connection.lease_app(brief, 1, app);
    let (events, ending) = connection.reports_until_ended().await;
    assert_eq!(connection.said().await, ToScheduler::Credit(1));
    assert!(containers_of(brief).is_empty(), "nothing is left of the pod");
    (events, ending)
}

async fn infrastructure(brief: &RunBrief) -> String {
    match run_app(brief, "app").await.1 {
        Ending::Infrastructure { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_app_is_run_and_nothing_is_left() {
    let brief = docker_brief(&sample("faults"), &["healthy"]);
    let (events, ending) = run_app(&brief, "healthy").await;
    assert_eq!(ending, Ending::Closed);
    insta::assert_snapshot!(verdicts(&events), @r"
    healthy.tests.test_neighbour.NeighbourDatabaseTest.test_has_a_database passed
    healthy.tests.test_neighbour.NeighbourTest.test_has_memory passed
    healthy.tests.test_neighbour.NeighbourTest.test_starts_processes passed
    ");
}

const HARDENED: &str = r"
import getpass, os, pathlib, socket, tempfile
from django.test import SimpleTestCase

def status():
    lines = pathlib.Path('/proc/self/status').read_text().splitlines()
    return dict(line.split(':', 1) for line in lines)

def cgroup(*names):
    for name in names:
        path = pathlib.Path('/sys/fs/cgroup', name)
        if path.exists():
            return int(path.read_text())

class T(SimpleTestCase):
    def test_capabilities(self):
        for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
            self.assertEqual(int(status()[name], 16), 0, name)
    def test_no_new_privileges(self):
        self.assertEqual(int(status()['NoNewPrivs']), 1)
    def test_system_calls_are_filtered(self):
        self.assertEqual(int(status()['Seccomp']), 2)
    def test_user(self):
        self.assertEqual((os.getuid(), os.getgid()), (10001, 10001))
        self.assertTrue(getpass.getuser())
    def test_no_way_out(self):
        self.assertEqual(os.listdir('/sys/class/net'), ['lo'])
        for address in ('172.17.0.1', '169.254.169.254', '1.1.1.1'):
            with self.assertRaises(OSError):
                socket.create_connection((address, 80), timeout=2)
    def test_own_name_is_known(self):
        self.assertEqual(socket.gethostbyname(socket.gethostname()), '127.0.0.1')
    def test_no_engine(self):
        for path in ('/var/run/docker.sock', '/run/docker.sock'):
            self.assertFalse(os.path.exists(path))
    def test_limits(self):
        self.assertEqual(cgroup('memory/memory.limit_in_bytes', 'memory.max'), 384 << 20)
        self.assertEqual(cgroup('pids/pids.max', 'pids.max'), 200)
    def test_system_is_out_of_reach(self):
        for path in ('/etc/x', '/usr/x', '/x'):
            with self.assertRaises(PermissionError):
                open(path, 'w')
    def test_own_folders_can_be_written(self):
        for folder in ('/app', tempfile.gettempdir(), str(pathlib.Path.home())):
            pathlib.Path(folder, 'x').write_text('x')
    def test_orphans_are_reaped(self):
        self.assertIn(b'init', pathlib.Path('/proc/1/cmdline').read_bytes())
    def test_secret(self):
        self.assertEqual(os.environ['API_KEY'], 'canary-7')
";

#[tokio::test]
async fn a_pod_is_hardened_as_seen_from_inside() {
    let project = small_project(HARDENED);
    let mut brief = docker_brief(project.path(), &["app"]);
    brief.options.limits.memory = 384 << 20;
    brief.options.limits.processes = 200;
    brief.secrets = Secrets([("API_KEY".to_owned(), "canary-7".to_owned())].into());
    let (events, ending) = run_app(&brief, "app").await;
    assert_eq!(ending, Ending::Closed);
    let failures: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Finished(finished) => Some(&finished.failures),
            _ => None,
        })
        .flatten()
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
    insta::assert_snapshot!(verdicts(&events), @r"
    app.tests.T.test_capabilities passed
    app.tests.T.test_limits passed
    app.tests.T.test_no_engine passed
    app.tests.T.test_no_new_privileges passed
    app.tests.T.test_no_way_out passed
    app.tests.T.test_orphans_are_reaped passed
    app.tests.T.test_own_folders_can_be_written passed
    app.tests.T.test_own_name_is_known passed
    app.tests.T.test_secret passed
    app.tests.T.test_system_calls_are_filtered passed
    app.tests.T.test_system_is_out_of_reach passed
    app.tests.T.test_user passed
    ");
}

const WAITING: &str = "
import time
from django.test import SimpleTestCase
class T(SimpleTestCase):
    def test_waits(self):
        time.sleep(300)
";

/// A pod whose test waits; the id of its container.
async fn waiting(connection: &mut Connection, brief: &RunBrief) -> String {
    connection.lease_app(brief, 1, "app");
    connection.reports_until(|event| matches!(event, Event::Started { .. })).await;
    let containers = containers_of(brief);
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

#[tokio::test]
async fn a_secret_is_in_nothing_that_can_be_inspected() {
    let project = small_project(WAITING);
    let mut brief = docker_brief(project.path(), &["app"]);
    brief.secrets = Secrets([("API_KEY".to_owned(), "canary-7".to_owned())].into());
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler).await;
    let container = waiting(&mut connection, &brief).await;
    let everything = inspect(&container, "{{json .}}");
    assert!(everything.contains("no-new-privileges"));
    assert!(!everything.contains("canary-7"));
}

#[tokio::test]
async fn a_container_killed_from_outside_is_a_crash_of_its_running_test() {
    let project = small_project(WAITING);
    let brief = docker_brief(project.path(), &["app"]);
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler).await;
    let container = waiting(&mut connection, &brief).await;
    kill(&container);
    let (_, ending) = connection.reports_until_ended().await;
    let Ending::Crashed(death) = ending else { panic!("{ending:?}") };
    assert_eq!(death.running.unwrap().as_str(), "app.tests.T.test_waits");
    assert_eq!(death.reason, "killed (signal 9), of the whole pod");
}

#[tokio::test]
async fn a_revoked_pod_is_gone_at_once() {
    let project = small_project(WAITING);
    let brief = docker_brief(project.path(), &["app"]);
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler).await;
    waiting(&mut connection, &brief).await;
    let lease = support::scheduler::key(&brief.run, 1);
    connection.send(ToAgent::Revoke { lease, reason: "test".to_owned() });
    assert_eq!(connection.report().await.event, Event::Ended(Ending::Revoked));
    assert_eq!(connection.said().await, ToScheduler::Credit(1));
    assert!(containers_of(&brief).is_empty());
}

#[tokio::test]
async fn memory_that_runs_out_is_named_with_its_limit_and_a_neighbour_does_not_notice() {
    let mut brief = docker_brief(&sample("faults"), &["allocates", "healthy"]);
    brief.options.limits.memory = 256 << 20;
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler).await;
    let allocator = connection.lease_app(&brief, 1, "allocates");
    let neighbour = connection.lease_app(&brief, 2, "healthy");
    let mut endings = std::collections::BTreeMap::new();
    while endings.len() < 2 {
        let report = connection.report().await;
        if let Event::Ended(ending) = report.event {
            endings.insert(report.lease, ending);
        }
    }
    let Ending::Crashed(death) = &endings[&allocator] else { panic!("{endings:?}") };
    assert_eq!(death.memory_limit, Some(256 << 20));
    assert_eq!(death.reason, "out of memory, the limit is 256 MiB");
    assert!(death.running.as_ref().unwrap().as_str().ends_with("test_allocates"));
    assert_eq!(endings[&neighbour], Ending::Closed);
}

#[tokio::test]
async fn processes_that_multiply_end_at_their_limit_and_a_neighbour_does_not_notice() {
    let mut brief = docker_brief(&sample("faults"), &["forks", "healthy"]);
    brief.options.limits.processes = 100;
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler).await;
    connection.lease_app(&brief, 1, "forks");
    connection.lease_app(&brief, 2, "healthy");
    let (mut all, mut endings) = (Vec::new(), Vec::new());
    while endings.len() < 2 {
        let (events, ending) = connection.reports_until_ended().await;
        all.extend(events);
        endings.push(ending);
    }
    assert_eq!(endings, [Ending::Closed, Ending::Closed]);
    let text = verdicts(&all);
    assert!(text.contains("forks.tests.test_fault.ForkTest.test_forks passed"), "{text}");
}

fn service(image: String, ready: &[&str]) -> Service {
    Service {
        name: "db".to_owned(),
        image,
        command: vec![],
        environment: [("GREETING".to_owned(), "hello".to_owned())].into(),
        ready: ready.iter().map(|&word| word.to_owned()).collect(),
        aliases: vec!["database.internal".to_owned()],
    }
}

const SERVER: &str = r#"["python3", "-m", "http.server", "8000", "--directory", "/etc"]"#;

const PROBE: [&str; 3] =
    ["python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000), 1)"];

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
    brief.snapshot.services = vec![service(service_image("server", SERVER), &PROBE)];
    let (events, ending) = run_app(&brief, "app").await;
    assert_eq!(ending, Ending::Closed);
    assert_eq!(verdicts(&events), "app.tests.T.test_service passed");
}

#[tokio::test]
async fn a_service_that_ends_before_it_is_ready_is_no_fault_of_the_tests() {
    let image = service_image("broken", r#"["sh", "-c", "echo cannot find my data; exit 3"]"#);
    let mut brief = docker_brief(small_project(CLIENT).path(), &["app"]);
    brief.snapshot.services = vec![service(image, &PROBE)];
    insta::assert_snapshot!(infrastructure(&brief).await, @r"
    service db ended before it was ready; the end of its log:
    cannot find my data
    ");
}

#[tokio::test]
async fn a_service_that_ends_midway_is_no_fault_of_the_tests() {
    let project = small_project(WAITING);
    let mut brief = docker_brief(project.path(), &["app"]);
    let image =
        service_image("brief", r#"["sh", "-c", "echo ready; sleep 4; echo giving up; exit 5"]"#);
    brief.snapshot.services = vec![service(image, &[])];
    insta::assert_snapshot!(infrastructure(&brief).await, @r"
    service db ended with status 5 while tests ran; the end of its log:
    ready
    giving up
    ");
}

#[tokio::test]
async fn an_image_that_is_not_there_is_said_so() {
    let mut brief = docker_brief(small_project(CLIENT).path(), &["app"]);
    let Content::Docker { image, .. } = &mut brief.snapshot.content else { panic!() };
    *image = format!("sha256:{}", "0".repeat(64));
    insta::assert_snapshot!(infrastructure(&brief).await, @r"
    image sha256:0000000000000000000000000000000000000000000000000000000000000000 is not on this Docker Engine; build the snapshot on it
    ");
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
    insta::assert_snapshot!(infrastructure(&brief).await, @r"
    the snapshot is made for the process runtime and this agent runs docker; build it for docker, or start an agent with --runtime process
    ");
}
