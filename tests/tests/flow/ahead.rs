//! Databases that are set up ahead of a run.

use std::fs;

use muletrain_tests::flow::Flow;
use muletrain_tests::program::Ended;
use muletrain_tests::project::write;

/// Long enough for a database that takes it to be worth keeping.
const MIGRATION: &str = "\
import time

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel('Item', [('id', models.AutoField(primary_key=True))]),
        migrations.RunPython(lambda *_: time.sleep(2.5)),
    ]
";

const TESTS: &str = "\
from django.test import TestCase

from .models import Item


class ItemTest(TestCase):
    def test_there_is_none(self):
        self.assertFalse(Item.objects.exists())
";

const MODELS: &str = "\
from django.db import models


class Item(models.Model):
    pass
";

in_both_runtimes!(are_found_by_the_run);

fn are_found_by_the_run(runtime: &str) {
    let flow = project();
    let made = warm(&flow, runtime);
    made.expect(0);
    assert!(made.stdout.contains(r#""databases":"made""#), "{}", made.stdout);
    let found = warm(&flow, runtime);
    found.expect(0);
    assert!(found.stdout.contains(r#""databases":"found""#), "{}", found.stdout);

    let ran = flow.run(runtime, &[]).end();
    ran.expect(0);
    assert!(ran.stdout.contains("Databases: kept, "), "{}", ran.stdout);

    write(&flow.project, "app/migrations/0001_initial.py", "raise RuntimeError('broken')\n");
    let broken = warm(&flow, runtime);
    broken.expect(1);
    assert!(broken.stderr.contains("RuntimeError: broken"), "{}", broken.stderr);
}

/// A project whose databases nobody else can have kept.
fn project() -> Flow {
    let flow = Flow::small(&[
        ("app/tests.py", TESTS),
        ("app/models.py", MODELS),
        ("app/migrations/__init__.py", ""),
        ("app/migrations/0001_initial.py", MIGRATION),
    ]);
    let path = flow.project.join("muletrain.toml");
    let configuration = fs::read_to_string(&path).unwrap();
    let name = flow.project.file_name().unwrap().display();
    fs::write(&path, format!("{configuration}\n[env]\nset = {{ FLOW = '{name}' }}\n")).unwrap();
    flow
}

fn warm(flow: &Flow, runtime: &str) -> Ended {
    let mut command = flow.command("muletrain-builder");
    command.arg("warm").arg(&flow.project).args(["--runtime", runtime]);
    flow.start(&mut command).end()
}
