//! Databases that one agent has set up and another begins with.

use std::collections::BTreeSet;

use muletrain_proto::event::{Event, Warming};
use muletrain_proto::journal::Record;
use muletrain_tests::fleet::Fleet;
use muletrain_tests::flow::Flow;
use muletrain_tests::project::write;

/// Long enough for a database that takes it to be worth keeping.
const MIGRATION: &str = "\
import time

from django.db import migrations, models

NAME = 'first'


def fill(apps, editor):
    time.sleep(2.5)
    apps.get_model('app', 'Item').objects.create(name=NAME)


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            'Item',
            [('id', models.AutoField(primary_key=True)), ('name', models.TextField())],
        ),
        migrations.RunPython(fill),
    ]
";

/// Tests that a database of another migration does not pass.
const TESTS: &str = "\
from importlib import import_module

from django.test import TestCase

from app.models import Item

NAME = import_module('app.migrations.0001_initial').NAME


class ItemTest(TestCase):
    def test_it_is_what_the_migration_writes(self):
        self.assertEqual(Item.objects.get().name, NAME)
";

const MODELS: &str = "\
from django.db import models


class Item(models.Model):
    name = models.TextField()
";

/// What became of the databases of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Databases {
    /// How often they were made.
    pub(crate) made: usize,
    /// How many agents had pods with kept ones.
    pub(crate) agents: usize,
}

/// Runs the tests, which have to be green and to begin with kept databases.
#[track_caller]
pub(crate) fn run(fleet: &Fleet) -> Databases {
    fleet.submit().end().expect(0);
    let journal = fleet.flow.journal().expect("a run leaves its journal");
    let is_made = |event: &Event| matches!(event, Event::Warming(Warming::Made { .. }));
    let made = journal.events().filter(|(_, event)| is_made(event)).count();
    let mut ready = BTreeSet::new();
    for (lease, event) in journal.events() {
        let Event::Ready(event) = event else { continue };
        assert!(event.databases.iter().all(|database| database.warm), "{event:?}");
        if !event.databases.is_empty() {
            ready.insert(lease);
        }
    }
    let agents = journal.records.iter().filter_map(|record| match record {
        Record::Leased { lease, place, .. } if ready.contains(&lease.key.lease) => {
            Some(&place.agent)
        }
        _ => None,
    });
    Databases { made, agents: agents.collect::<BTreeSet<_>>().len() }
}

#[test]
fn one_agent_sets_databases_up_and_the_others_begin_with_them() {
    let flow = Flow::small(&[
        ("app/models.py", MODELS),
        ("app/migrations/__init__.py", ""),
        ("app/migrations/0001_initial.py", MIGRATION),
        ("app/tests.py", TESTS),
        ("other/tests.py", TESTS),
    ]);
    let fleet = Fleet::of_processes(flow, 2);
    assert_eq!(run(&fleet), Databases { made: 1, agents: 2 });

    let changed = MIGRATION.replace("'first'", "'second'");
    write(&fleet.flow.project, "app/migrations/0001_initial.py", &changed);
    assert_eq!(run(&fleet), Databases { made: 1, agents: 2 }, "others do not fit any more");
    write(&fleet.flow.project, "app/migrations/0001_initial.py", MIGRATION);
    assert_eq!(run(&fleet), Databases { made: 0, agents: 2 }, "both agents have both by now");
    fleet.stop();
}
