//! Services beside the tests: those of presets in images in the manner of the official ones, and
//! those that fail.

use std::path::Path;
use std::process::Command;
use std::sync::Once;
use std::time::{Duration, Instant};

use muletrain_proto::verdict::Verdict;
use muletrain_tests::engine::{docker, prepare};
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Verdicts;
use muletrain_tests::oracle::differences;
use muletrain_tests::program::{Ended, output};

use crate::junit::count_cases;
use crate::patient;

/// How long cleaning up may take that begins before the end of a run.
const SOON: Duration = Duration::from_secs(10);

/// Every test of the sample library.
pub(crate) const LIBRARY: [&str; 16] = [
    "catalog.tests.test_books.BookTest.test_arrays_are_searched",
    "catalog.tests.test_books.BookTest.test_documents_are_searched",
    "catalog.tests.test_books.BookTest.test_names_are_unique",
    "catalog.tests.test_books.BookTest.test_the_server_is_postgresql",
    "catalog.tests.test_rows.MigratedRowsTest.test_rows_are_there",
    "catalog.tests.test_rows.RestoredRowsTest.test_a_rows_are_restored",
    "catalog.tests.test_rows.RestoredRowsTest.test_b_rows_are_restored_again",
    "loans.tests.test_databases.ArchiveTest.test_each_database_has_its_own_tables",
    "loans.tests.test_databases.ArchiveTest.test_loans_are_in_the_archive",
    "loans.tests.test_databases.FlushTest.test_a_leaves_a_row",
    "loans.tests.test_databases.FlushTest.test_b_finds_none",
    "loans.tests.test_databases.ReplicaTest.test_a_replica_has_what_is_written",
    "visits.tests.test_services.CounterTest.test_visits_are_counted",
    "visits.tests.test_services.NetworkTest.test_nothing_else_can_be_reached",
    "visits.tests.test_services.NetworkTest.test_services_answer_to_their_names",
    "visits.tests.test_services.NetworkTest.test_services_are_found_by_variables",
];

/// Makes the images that the sample library names.
pub(crate) fn prepare_images() {
    static READY: Once = Once::new();
    READY.call_once(|| {
        prepare();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bin/service-image");
        for service in ["postgres", "redis"] {
            output(Command::new(&script).arg(service));
        }
    });
}

/// Sees that the newest run has all tests of the library, and that they passed.
#[track_caller]
pub(crate) fn assert_all_passed(flow: &Flow) {
    let wanted: Verdicts = LIBRARY.map(|id| (id.to_owned(), Verdict::Passed)).into();
    let verdicts = flow.journal().expect("a run leaves its journal").verdicts();
    assert_eq!(differences(&verdicts, &wanted), [""; 0]);
    assert_eq!(count_cases(&flow.junit()), wanted.len());
}

#[test]
fn a_project_on_postgresql_and_redis_is_green() {
    prepare_images();
    let flow = Flow::sample("library");
    flow.run("docker", &[]).end().expect(0);
    assert_all_passed(&flow);
    flow.is_left_clean(SOON);
}

/// A flow whose pods have a service, a shell script in the base image.
fn with_service(script: &str, keys: &str, tests: &str) -> Flow {
    prepare();
    let configuration = format!(
        "[image]\nbase = 'muletrain-test-base:bookworm'\n\
         install = ['pip install -r requirements.txt']\n\
         [services.mail]\nimage = 'muletrain-test-base:bookworm'\n\
         command = ['sh', '-c', '''{script}''']\n{keys}\n"
    );
    Flow::small(&[("muletrain.toml", &configuration), ("app/tests.py", tests)])
}

const CLIENT: &str = "
import socket

from django.test import SimpleTestCase


class MailTest(SimpleTestCase):
    def test_it_answers(self):
        socket.create_connection(('mail', 8025), 5).close()
";

const SERVER: &str = "echo starting; sleep 1; python3 -u -m http.server 8025 --directory /etc";

#[test]
fn a_service_is_ready_once_its_port_or_its_log_says_so() {
    for ready in ["ready_port = 8025", "ready_log = 'Serving HTTP'"] {
        let flow = with_service(SERVER, ready, CLIENT);
        flow.run("docker", &[]).end().expect(0);
        flow.is_left_clean(SOON);
    }
}

/// A run that cannot start for a service ends within the time that it has, tells its log, and
/// leaves nothing.
#[track_caller]
fn assert_cannot_start(flow: &Flow, wanted: &str) {
    let begun = Instant::now();
    let ended: Ended = flow.run("docker", &[]).end();
    ended.expect(4);
    assert!(begun.elapsed() < Duration::from_secs(60), "took {:?}", begun.elapsed());
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains(wanted), "not {wanted}: {said}");
    flow.is_left_clean(SOON);
}

#[test]
fn a_service_that_does_not_get_ready_ends_the_run_with_its_log() {
    let keys = "ready_port = 8025\nready_timeout = '3s'";
    let flow = with_service("echo waiting for a licence; sleep 300", keys, CLIENT);
    let wanted = "service mail was not ready within 3.0 s; the end of its log:";
    assert_cannot_start(&flow, wanted);
}

#[test]
fn a_service_that_ends_early_ends_the_run_with_its_log() {
    let flow = with_service("echo no licence; exit 7", "ready_port = 8025", CLIENT);
    assert_cannot_start(&flow, "service mail ended with status 7 before it was ready");
}

#[test]
fn a_service_that_dies_midway_is_no_verdict_of_a_test() {
    let flow = with_service("echo here; sleep 300", "ready_log = 'here'", patient::TESTS);
    let mut run = flow.run("docker", &["--timeout", "120s"]);
    let pod =
        run.until("a test that waits", |_| patient::pod_of(&flow.journal()?, patient::WAITING));
    let name = docker(&["inspect", "--format", "{{.Name}}", &pod]);
    docker(&["kill", &name.trim_start_matches('/').replace("-tests", "-service1")]);
    run.says("service mail ended with status 137 while tests ran");
    drop(run);
    let journal = flow.journal().expect("a run leaves its journal");
    assert!(!journal.verdicts().contains_key(patient::WAITING));
}

/// A stand-in for a browser: it opens the address that it is asked for, and says what is there.
const BROWSER: &str = r#"
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import unquote
from urllib.request import urlopen


class Browser(BaseHTTPRequestHandler):
    def do_GET(self):
        address = unquote(self.path.partition("?")[2])
        try:
            said = "saw " + urlopen(address, timeout=10).read().decode()
        except OSError as error:
            said = "saw nothing: %s" % error
        self.send_response(200)
        self.end_headers()
        self.wfile.write(said.encode())


HTTPServer(("", 4444), Browser).serve_forever()
"#;

const BROWSING: &str = "
import socket
from urllib.parse import quote
from urllib.request import urlopen

from django.http import HttpResponse
from django.test import LiveServerTestCase, SimpleTestCase, override_settings
from django.urls import path

urlpatterns = [path('hello/', lambda request: HttpResponse('page of ' + request.get_host()))]


@override_settings(ROOT_URLCONF=__name__, STATIC_URL='/static/', MEDIA_URL='/media/')
class PageTest(LiveServerTestCase):
    def test_the_browser_opens_the_live_server(self):
        address = quote(self.live_server_url + '/hello/', safe='')
        said = urlopen('http://browser:4444/?' + address, timeout=20).read().decode()
        self.assertEqual(said, 'saw page of ' + self.live_server_url.partition('//')[2])


class PlainTest(SimpleTestCase):
    def test_has_none(self):
        with socket.socket() as connection:
            self.assertNotEqual(connection.connect_ex(('localhost', 4444)), 0)
";

#[test]
fn a_service_for_some_classes_runs_in_their_pods_alone() {
    prepare();
    let configuration = format!(
        "[image]\nbase = 'muletrain-test-base:bookworm'\n\
         install = ['pip install -r requirements.txt']\n\
         [services.browser]\nimage = 'muletrain-test-base:bookworm'\n\
         command = ['python3', '-c', '''{BROWSER}''']\n\
         ready_port = 4444\nonly = ['django.test.testcases.LiveServerTestCase']\n"
    );
    let flow = Flow::small(&[("muletrain.toml", &configuration), ("app/tests.py", BROWSING)]);
    flow.run("docker", &[]).end().expect(0);
    let journal = flow.journal().expect("a run leaves its journal");
    let apps = journal.leased().filter(|work| work.app().is_some()).count();
    assert_eq!(apps, 2, "classes with the service have a pod of their own");
    flow.is_left_clean(SOON);
}
