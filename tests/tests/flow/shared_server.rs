//! Databases on a server that two runs use at once, as host processes do: they never meet, and
//! none of them is left, however a run ends.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use muletrain_proto::event::Event;
use muletrain_tests::engine::{docker, prepare};
use muletrain_tests::flow::Flow;
use muletrain_tests::program::output;
use muletrain_tests::wait::until;
use rustix::process::Signal;

const IMAGE: &str = "muletrain-test-postgres:bookworm";
const LIMIT: Duration = Duration::from_secs(60);

const SETTINGS: &str = "
SECRET_KEY = 'only-for-tests'
USE_TZ = True
INSTALLED_APPS = ['app', 'other']
DATABASES = {'default': {
    'ENGINE': 'django.db.backends.postgresql', 'HOST': '127.0.0.1', 'PORT': NUMBER,
    'USER': 'postgres', 'PASSWORD': 'only-for-tests', 'NAME': 'shop',
}}
";

const MODELS: &str = "
from django.db import models


class Item(models.Model):
    name = models.CharField(max_length=9)
";

/// Waits for the file that `MEETING` names, once it has made one that says that it is there.
const TESTS: &str = "
import os
import pathlib
import time

from django.db import connection
from django.test import TestCase

from app.models import Item


class ItemTest(TestCase):
    def test_one(self):
        Item.objects.create(name='apple')
        name = connection.settings_dict['NAME']
        folder = pathlib.Path(os.environ['MEETING'])
        (folder / name).touch()
        while not (folder / 'go').exists():
            time.sleep(0.02)
        self.assertEqual(Item.objects.count(), 1)
";

/// A server with a port of this host; it goes with this.
struct Server {
    id: String,
}

impl Server {
    fn start() -> Self {
        prepare();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bin/service-image");
        output(Command::new(script).arg("postgres"));
        let publish = ["run", "--detach", "--publish", "127.0.0.1::5432"];
        let server = ["--env", "POSTGRES_PASSWORD=only-for-tests", IMAGE, "postgres"];
        let id = docker(&[&publish[..], &server, &["-c", "listen_addresses=*"]].concat());
        let server = Self { id };
        until("a server that answers", LIMIT, || server.query("SELECT 1"));
        server
    }

    fn port(&self) -> String {
        let address = docker(&["port", &self.id, "5432"]);
        address.lines().next().and_then(|line| line.rsplit(':').next()).unwrap().to_owned()
    }

    fn query(&self, query: &str) -> Option<String> {
        let psql = ["psql", "-h", "127.0.0.1", "-U", "postgres", "-Atc", query];
        let mut command = Command::new("docker");
        command.args(["exec", "--env", "PGPASSWORD=only-for-tests", &self.id]).args(psql);
        let ended = command.output().expect("docker is there");
        ended.status.success().then(|| String::from_utf8_lossy(&ended.stdout).trim().to_owned())
    }

    /// Names of test databases.
    fn databases(&self) -> Vec<String> {
        let rows = self.query("SELECT datname FROM pg_database WHERE datname LIKE '%shop'");
        rows.expect("the server answers").lines().map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.id]);
    }
}

fn shop(server: &Server, meeting: &Path, other: &str) -> Flow {
    let settings = SETTINGS.replace("NUMBER", &server.port());
    let configuration = format!(
        "[image]\nbase = 'muletrain-test-base:bookworm'\n\
         install = ['pip install -r requirements.txt', 'pip install psycopg[binary]==3.3.9']\n\
         [env]\nset = {{ MEETING = {:?} }}\n",
        meeting.to_string_lossy()
    );
    Flow::small(&[
        ("muletrain.toml", &configuration),
        ("config/settings.py", &settings),
        ("app/models.py", MODELS),
        ("app/tests.py", TESTS),
        ("other/tests.py", other),
    ])
}

/// How many tests have said that they are there.
fn arrived(meeting: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(meeting).expect("it is a folder").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with("shop")).collect()
}

#[test]
fn of_two_runs_at_once_never_meet_and_none_is_left() {
    let server = Server::start();
    let meeting = tempfile::tempdir().unwrap();
    let flows = [shop(&server, meeting.path(), ""), shop(&server, meeting.path(), "")];
    let runs = flows.each_ref().map(|flow| flow.run("process", &["--db-prefix", "ci"]));
    let names = until("both tests", LIMIT * 3, || {
        Some(arrived(meeting.path())).filter(|names| names.len() == 2)
    });
    assert!(names.iter().all(|name| name.starts_with("ci_mt")), "{names:?}");
    assert_eq!(server.databases().len(), 2);
    std::fs::write(meeting.path().join("go"), "").unwrap();
    for run in runs {
        run.end().expect(0);
    }
    assert_eq!(server.databases(), [""; 0]);
}

#[test]
fn of_a_run_that_is_interrupted_are_removed() {
    let server = Server::start();
    for (isolation, count) in [("app", 1), ("fork", 2)] {
        let meeting = tempfile::tempdir().unwrap();
        let flow = shop(&server, meeting.path(), "");
        let mut run = flow.run("process", &["--isolation", isolation]);
        run.until("a test", |_| (!arrived(meeting.path()).is_empty()).then_some(()));
        assert_eq!(server.databases().len(), count, "{isolation}: with what a child copied");
        run.signal(Signal::INT);
        run.end().expect(130);
        let what = format!("no database after {isolation}");
        until(&what, LIMIT, || server.databases().is_empty().then_some(()));
    }
}

#[test]
fn of_forked_apps_are_copies_of_one_that_goes_with_the_run() {
    let server = Server::start();
    let meeting = tempfile::tempdir().unwrap();
    std::fs::write(meeting.path().join("go"), "").unwrap();
    let flow = shop(&server, meeting.path(), TESTS);
    flow.run("process", &["--isolation", "fork"]).end().expect(0);
    let journal = flow.journal().expect("a run leaves its journal");
    let ready = journal.events().filter_map(|(_, event)| match event {
        Event::Ready(ready) => Some(&ready.databases),
        _ => None,
    });
    let warm: Vec<_> = ready.flatten().map(|database| database.warm).collect();
    assert_eq!(warm, [true, true]);
    assert_eq!(server.databases(), [""; 0]);
}
