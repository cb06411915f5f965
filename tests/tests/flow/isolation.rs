//! Apps as children of one pod a slot: the verdicts of a serial run, Django loaded once, and no
//! more lost to a crash than in pods of their own.

use std::collections::BTreeSet;
use std::time::Duration;

use muletrain_proto::event::Event;
use muletrain_tests::flow::Flow;
use muletrain_tests::journal::Journal;
use muletrain_tests::oracle::{self, differences};

use crate::services;

/// How long cleaning up may take that begins before the end of a run.
const SOON: Duration = Duration::from_secs(10);

in_both_runtimes!(forked_apps_have_the_verdicts_of_a_serial_run, a_crash_costs_its_test_alone);

fn forked_apps_have_the_verdicts_of_a_serial_run(runtime: &str) {
    let flow = Flow::sample("site");
    flow.run(runtime, &["--isolation", "fork"]).end().expect(1);
    let journal = flow.journal().expect("a run leaves its journal");
    assert!(journal.is_closed());
    assert_eq!(differences(&journal.verdicts(), oracle::site()), [""; 0]);
    let (started, reused) = pods(&journal);
    assert!(started <= 3, "two slots, and one of these may have collected: {started}");
    assert!(reused > started, "{reused} of {} leases", started + reused);
    flow.is_left_clean(SOON);
}

const CRASH: &str = "
import os
from django.test import SimpleTestCase


class CrashTest(SimpleTestCase):
    def test_a(self):
        pass

    def test_b_dies(self):
        os.kill(os.getpid(), 9)

    def test_c(self):
        pass
";

fn a_crash_costs_its_test_alone(runtime: &str) {
    let flow = Flow::small(&[("app/tests.py", CRASH), ("other/tests.py", CRASH)]);
    let ended = flow.run(runtime, &["--isolation", "fork"]).end();
    ended.expect(1);
    let verdicts = flow.journal().expect("a run leaves its journal").verdicts();
    let named = verdicts.iter().map(|(id, verdict)| format!("{id} {verdict}"));
    let wanted = ["app", "other"].into_iter().flat_map(|app| {
        ["test_a passed", "test_b_dies crashed", "test_c passed"]
            .map(|end| format!("{app}.tests.CrashTest.{end}"))
    });
    assert_eq!(named.collect::<BTreeSet<_>>(), wanted.collect());
    assert!(ended.stdout.contains("killed (signal 9)"), "{}", ended.stdout);
    flow.is_left_clean(SOON);
}

/// What apps say of the databases that they begin with: time taken, and whether somebody else
/// had migrated each.
fn databases(journal: &Journal) -> Vec<(f64, bool)> {
    let ready = journal.events().filter_map(|(_, event)| match event {
        Event::Ready(ready) if !ready.databases.is_empty() => Some(ready),
        _ => None,
    });
    ready.map(|it| (it.seconds.get(), it.databases.iter().all(|one| one.warm))).collect()
}

const CONFIGURATION: &str = "
[image]
base = 'muletrain-test-base:bookworm'
install = ['pip install -r requirements.txt', 'pip install psycopg[binary]==3.3.9']

[services.db]
preset = 'postgres:15'
image = 'muletrain-test-postgres:bookworm'
";

const SETTINGS: &str = "
import os
from urllib.parse import urlsplit

database = urlsplit(os.environ['DATABASE_URL'])
SECRET_KEY = 'only-for-tests'
USE_TZ = True
INSTALLED_APPS = ['app', 'other', 'third', 'django.contrib.contenttypes', 'django.contrib.auth']
DATABASES = {'default': {
    'ENGINE': 'django.db.backends.postgresql', 'HOST': database.hostname, 'PORT': database.port,
    'USER': database.username, 'PASSWORD': database.password, 'NAME': database.path.strip('/'),
}}
";

/// As long as hundreds of migrations take.
const SLOW: &str = "
import time

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    operations = [migrations.RunPython(lambda *_: time.sleep(4))]
";

const USERS: &str = "
from django.contrib.auth.models import Permission, User
from django.test import TestCase, TransactionTestCase


class UserTest(TestCase):
    def test_a_is_alone(self):
        self.assertEqual(User.objects.count(), 0)
        User.objects.create(username='somebody')

    def test_b_fails(self):
        self.assertEqual(User.objects.count(), 1)

    def test_c_numbers_begin_as_they_do(self):
        self.assertEqual(Permission.objects.count(), 12)


class FlushTest(TransactionTestCase):
    def test_d_leaves_a_row(self):
        User.objects.create(username='left behind')
";

#[test]
fn on_a_server_of_its_own_a_pod_sets_databases_up_once_for_all_its_apps() {
    services::prepare_images();
    let apps = ["app", "other", "third"].map(|app| format!("{app}/tests.py"));
    let modules = apps.each_ref().map(|path| path.replace("tests.py", "__init__.py"));
    let mut files = vec![
        ("muletrain.toml", CONFIGURATION),
        ("config/settings.py", SETTINGS),
        ("app/migrations/__init__.py", ""),
        ("app/migrations/0001_initial.py", SLOW),
    ];
    files.extend(apps.iter().map(|path| (path.as_str(), USERS)));
    files.extend(modules.iter().map(|path| (path.as_str(), "")));
    let flow = Flow::small(&files);
    let [app, fork] = ["app", "fork"].map(|isolation| {
        flow.run("docker", &["--isolation", isolation, "--fresh-db"]).end().expect(1);
        let journal = flow.journal().expect("a run leaves its journal");
        flow.is_left_clean(SOON);
        (databases(&journal), journal.verdicts())
    });
    assert_eq!(app.1.len(), 12);
    assert_eq!(differences(&fork.1, &app.1), [""; 0]);
    assert!(app.0.iter().all(|(_, warm)| !warm) && fork.0.iter().all(|(_, warm)| *warm));
    // Three apps are more than two slots, so one of them only copies.
    let fastest = |all: Vec<(f64, bool)>| all.into_iter().map(|it| it.0).fold(f64::MAX, f64::min);
    let (migrated, copied) = (fastest(app.0), fastest(fork.0));
    assert!(copied < migrated, "copied in {copied:.2} s, migrated in {migrated:.2} s");
}

/// Pods that were started for a lease, and leases that began in a pod that was there.
fn pods(journal: &Journal) -> (usize, usize) {
    let started = journal.events().filter_map(|(_, event)| match event {
        Event::PodStarted(started) => Some(started.reused),
        _ => None,
    });
    let (reused, started): (Vec<bool>, Vec<bool>) = started.partition(|reused| *reused);
    (started.len(), reused.len())
}
