//! Pods as containers, on the real engine of this host, with the real harness.

mod support;

use muletrain_proto::event::Event;
use muletrain_proto::id::SnapshotId;
use muletrain_proto::link::{RunBrief, ToAgent, ToScheduler};
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::Secrets;
use support::engine::{containers_of, docker_brief, inspect, kill};
use support::flow::{WAITING, attached, lease_until_it_runs, run_app, warming};
use support::project::{migrating_project, sample, small_project};
use support::scheduler::{Connection, Scheduler, verdicts};

#[tokio::test]
async fn an_app_is_run_and_nothing_is_left() {
    let brief = docker_brief(&sample("faults"), &["healthy"]);
    let (events, ending) = run_app("docker", &brief, "healthy").await;
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
    let (events, ending) = run_app("docker", &brief, "app").await;
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

/// A pod whose test waits; the id of its container.
async fn waiting(connection: &mut Connection, brief: &RunBrief) -> String {
    lease_until_it_runs(connection, brief).await;
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
    let (_agent, mut connection) = attached(&mut scheduler, "docker").await;
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
    let (_agent, mut connection) = attached(&mut scheduler, "docker").await;
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
    let (_agent, mut connection) = attached(&mut scheduler, "docker").await;
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
    let (_agent, mut connection) = attached(&mut scheduler, "docker").await;
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
    let (_agent, mut connection) = attached(&mut scheduler, "docker").await;
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

#[tokio::test]
async fn databases_are_made_once_and_found_again() {
    let project = migrating_project("time.sleep(2.1)");
    // Both images first: an agent lets go of a scheduler that is busy for as long as a build is.
    let briefs = ["one", "two"].map(|snapshot| {
        std::fs::write(project.path().join("app/text"), snapshot).unwrap();
        let mut brief = docker_brief(project.path(), &["app"]);
        brief.snapshot.id = SnapshotId::new(snapshot).unwrap();
        brief
    });
    let mut scheduler = Scheduler::start();
    let (agent, mut connection) = attached(&mut scheduler, "docker").await;
    let expected =
        [vec!["begun", "made", "pod started", "warm"], vec!["found", "pod started", "warm"]];
    for (brief, expected) in briefs.iter().zip(expected) {
        connection.lease_app(brief, 1, "app");
        let (events, ending) = connection.reports_until_ended().await;
        assert_eq!(ending, Ending::Closed);
        assert_eq!(verdicts(&events), "app.tests.T.test_has_what_was_migrated passed");
        assert_eq!(warming(&events), expected);
        assert_eq!(connection.said().await, ToScheduler::Credit(1));
        assert!(containers_of(brief).is_empty());
    }
    assert_eq!(agent.kept(), 1);
}
