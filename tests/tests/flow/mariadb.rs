//! A project on MariaDB: its databases are set up once and kept, as on any server.

use std::path::Path;
use std::process::Command;

use muletrain_proto::event::{Event, Warming};
use muletrain_proto::verdict::Verdict;
use muletrain_tests::engine::prepare;
use muletrain_tests::flow::Flow;
use muletrain_tests::program::output;

const CONFIGURATION: &str = "\
[image]
base = 'muletrain-test-base:bookworm'
install = ['pip install -r requirements.txt', 'pip install pymysql==1.1.1']

[services.db]
preset = 'mariadb:10'
image = 'muletrain-test-mariadb:bookworm'
";

/// A driver that needs no compiler stands in for the one that Django asks for.
const SETTINGS: &str = "\
import os
from urllib.parse import urlsplit

import pymysql

pymysql.version_info = (2, 2, 1, 'final', 0)
pymysql.install_as_MySQLdb()
database = urlsplit(os.environ['DATABASE_URL'])

SECRET_KEY = 'only-for-tests'
USE_TZ = True
INSTALLED_APPS = ['app', 'other']
DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.mysql',
        'HOST': database.hostname,
        'PORT': database.port,
        'USER': database.username,
        'PASSWORD': database.password or '',
        'NAME': database.path.strip('/'),
    }
}
";

const MODELS: &str = "\
from django.db import models


class Item(models.Model):
    name = models.CharField(max_length=20)
";

const MIGRATION: &str = "\
from django.db import migrations, models


def fill(apps, editor):
    apps.get_model('app.Item').objects.create(name='migrated')


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            'Item',
            [
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=20)),
            ],
        ),
        migrations.RunPython(fill),
    ]
";

const TESTS: &str = "\
from django.db import connection
from django.test import TestCase, TransactionTestCase

from .models import Item


class RowTest(TestCase):
    def test_rows_of_migrations_are_there(self):
        self.assertTrue(connection.mysql_is_mariadb)
        self.assertEqual([item.name for item in Item.objects.all()], ['migrated'])


class FlushTest(TransactionTestCase):
    serialized_rollback = True

    def test_rows_are_restored(self):
        self.assertEqual(Item.objects.get().name, 'migrated')
";

#[test]
fn databases_are_made_once_and_found_again() {
    prepare();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bin/service-image");
    output(Command::new(script).arg("mariadb"));
    let flow = Flow::small(&[
        ("muletrain.toml", CONFIGURATION),
        ("config/settings.py", SETTINGS),
        ("app/models.py", MODELS),
        ("app/migrations/__init__.py", ""),
        ("app/migrations/0001_initial.py", MIGRATION),
        ("app/tests.py", TESTS),
    ]);
    for kept in [false, true] {
        let mut command = flow.run_command("docker", &[]);
        flow.start(command.env("MULETRAIN_CACHE", flow.path("cache"))).end().expect(0);
        let journal = flow.journal().expect("a run leaves its journal");
        let found =
            journal.events().any(|(_, event)| matches!(event, Event::Warming(Warming::Found)));
        assert_eq!(found, kept);
        let ready = journal.events().filter_map(|(_, event)| match event {
            Event::Ready(ready) => Some(&ready.databases),
            _ => None,
        });
        let databases: Vec<_> = ready.flatten().collect();
        assert!(!databases.is_empty(), "it has a database");
        assert!(databases.iter().all(|it| it.warm && it.vendor == "mysql"), "{databases:?}");
        let verdicts = journal.verdicts();
        assert_eq!(verdicts.len(), 2);
        assert!(verdicts.values().all(|verdict| *verdict == Verdict::Passed), "{verdicts:?}");
    }
}
