//! Sample projects, and a Django to run them with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use muletrain_proto::id::{AppLabel, RunId, SnapshotId, SuiteName};
use muletrain_proto::link::RunBrief;
use muletrain_proto::run::{Options, Secrets};
use muletrain_proto::snapshot::{App, Content, Environment, Snapshot, VERSION};
use muletrain_proto::suite::{Adapter, Suite};

const DJANGO: &str = "Django==5.2.*";

/// Folder of a sample project.
pub fn sample(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/projects").join(name);
    folder.canonicalize().unwrap()
}

/// A run of some apps of a project.
pub fn brief(content: Content, python: &str, apps: &[&str]) -> RunBrief {
    let app = |label: &&str| App {
        label: AppLabel::new(*label).unwrap(),
        module: (*label).to_owned(),
        path: (*label).to_owned(),
        test_files: vec![],
        suite: SuiteName::default(),
    };
    RunBrief {
        run: RunId::new(format!("run-{:08x}", fastrand::u32(..))).unwrap(),
        snapshot: Snapshot {
            version: VERSION,
            id: SnapshotId::new("sample").unwrap(),
            name: "sample".to_owned(),
            revision: None,
            content,
            python: python.to_owned(),
            suites: vec![Suite::new(
                SuiteName::default(),
                Adapter::Django { manage: Some("manage.py".to_owned()), settings: None },
            )],
            environment: Environment::default(),
            services: vec![],
            apps: apps.iter().map(app).collect(),
            notes: vec![],
        },
        options: Options::default(),
        secrets: Secrets(BTreeMap::new()),
    }
}

/// A run of a project as host processes.
pub fn process_brief(root: &Path, apps: &[&str]) -> RunBrief {
    let root = root.to_string_lossy().into_owned();
    let python = virtual_environment().join("bin/python").to_string_lossy().into_owned();
    brief(Content::Process { root }, &python, apps)
}

/// A virtual environment with Django, made once and kept beside what cargo builds.
pub fn virtual_environment() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let lock = std::fs::File::create(folder.join("django.lock")).unwrap();
        lock.lock().unwrap();
        let path = folder.join("django");
        if !path.join("complete").exists() {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&path));
            run(Command::new(path.join("bin/python")).args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                DJANGO,
            ]));
            std::fs::write(path.join("complete"), "").unwrap();
        }
        path
    })
}

/// Runs a command that has to succeed; what it printed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A project of one app with a model, the given migration of it, and a test that finds in its
/// database what the migration writes.
pub fn migrating_project(migrate: &str) -> tempfile::TempDir {
    let project = small_project(
        "
from django.test import TestCase
from app.models import Thing
class T(TestCase):
    def test_has_what_was_migrated(self):
        self.assertEqual(Thing.objects.get().name, 'migrated')
",
    );
    let app = project.path().join("app");
    let models = "
from django.db import models
class Thing(models.Model):
    name = models.CharField(max_length=20)
";
    std::fs::write(app.join("models.py"), models).unwrap();
    std::fs::create_dir(app.join("migrations")).unwrap();
    std::fs::write(app.join("migrations/__init__.py"), "").unwrap();
    write_migration(project.path(), migrate);
    project
}

/// Writes the migration of such a project; `migrate` is the body of a Python function.
pub fn write_migration(project: &Path, migrate: &str) {
    let body: String = migrate.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "
import os, subprocess, time
from django.db import migrations, models
def migrate(apps, _):
    apps.get_model('app', 'Thing').objects.create(name='migrated')
{body}
class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel('Thing', [
            ('id', models.AutoField(primary_key=True)),
            ('name', models.CharField(max_length=20)),
        ]),
        migrations.RunPython(migrate),
    ]
"
    );
    std::fs::write(project.join("app/migrations/0001_initial.py"), text).unwrap();
}

/// A project of one app with the given test module, for what no sample shows.
pub fn small_project(tests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("manage.py", include_str!("../../../tests/projects/faults/manage.py")),
        ("config/__init__.py", ""),
        (
            "config/settings.py",
            "SECRET_KEY = 'x'\nINSTALLED_APPS = ['app']\nUSE_TZ = True\n\
             DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}\n",
        ),
        ("app/__init__.py", ""),
        ("app/tests.py", tests),
    ];
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}
