"""When a kept database is still the right one, and when it is not."""

import os

import pytest
from kept import matched, settings, warmed, write_shop
from pod import Pod


@pytest.fixture(autouse=True)
def shop(project):
    write_shop(project)


def rename(project, source, target):
    os.rename(project.root / source, project.root / target)


def add_unmigrated_app(project):
    project.add_app("plain")
    project.write("plain/models.py", "from django.db import models\nclass Thing(models.Model): pass\n")


SECOND = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = []
"""

CHANGES = {
    "a migration": lambda project: project.append("shop/migrations/0001_initial.py", "\n"),
    "a module that a migration imports": lambda project: project.append("shop/seed.py", "\n"),
    "a file that a migration opens": lambda project: project.append("shop/seed.txt", " plum"),
    "a model": lambda project: project.append("shop/models.py", "\n"),
    "a model of an app without migrations": lambda project: project.append("plain/models.py", "\n"),
    "settings": lambda project: project.append("conf/settings.py", "\n"),
    "one more migration": lambda project: project.write("shop/migrations/0002_more.py", SECOND),
    "a migration taken away": lambda project: os.remove(project.root / "shop/migrations/0001_initial.py"),
    "a squashed migration": lambda project: rename(
        project, "shop/migrations/0001_initial.py", "shop/migrations/0001_squashed_0002.py"
    ),
    "migrations for an app without": lambda project: project.write("plain/migrations/0001_initial.py", SECOND),
    "a file that was looked for in vain": lambda project: project.write("conf/local/secret.txt", "x"),
    "a file beside one that is read": lambda project: project.write("data/local.txt", "x"),
    "a name in the root": lambda project: project.write("pyproject.toml", ""),
    "a file of the same size and time": lambda project: rewrite(project, "shop/seed.txt", "apple gone plum"),
}


def rewrite(project, path, text):
    file = project.root / path
    status = file.stat()
    file.write_text(text)
    assert file.stat().st_size == status.st_size
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", CHANGES)
def test_what_invalidates(project, change):
    add_unmigrated_app(project)
    settings(
        project,
        """
        import os
        try:
            open("conf/local/secret.txt")
        except FileNotFoundError:
            pass
        if not os.path.exists("data/local.txt"):
            open("data/all.txt").close()
        """,
    )
    project.write("data/all.txt", "")
    manifest, _ = warmed(project)
    assert matched(project, manifest) == 0
    CHANGES[change](project)
    assert matched(project, manifest) is None


def test_what_does_not_invalidate(project):
    project.write("shop/views.py", "")
    project.write("shop/unit/test_one.py", "raise AssertionError('tests are not loaded to warm')\n")
    manifest, _ = warmed(project)
    project.append("shop/tests.py", "\n")
    project.append("shop/views.py", "\n")
    project.append("shop/unit/test_one.py", "\n")
    project.write("shop/unit/test_two.py", "")
    project.write("shop/migrations/__pycache__/other.pyc", "")
    os.utime(project.root / "shop/models.py", (0, 0))
    assert matched(project, manifest) == 0


def test_what_a_pod_writes_itself_does_not_invalidate(project):
    settings(
        project,
        """
        import logging, os
        DATABASES["default"]["TEST"] = {"NAME": "test.sqlite3"}
        logging.FileHandler("debug.log").emit(logging.makeLogRecord({}))
        os.makedirs("media/cache", exist_ok=True)
        os.listdir("media/cache")
        """,
    )
    manifest, (database,) = warmed(project)
    assert database["name"] == "test.sqlite3"
    for path in ("debug.log", "test.sqlite3", "media/cache"):
        assert (project.root / path).exists()
    assert matched(project, manifest) == 0
    for path in ("debug.log", "test.sqlite3"):
        os.remove(project.root / path)
    os.removedirs(project.root / "media/cache")
    assert matched(project, manifest) == 0


def test_a_folder_removed_elsewhere_takes_nothing_out(project):
    settings(
        project,
        """
        import os, shutil, tempfile
        folder = tempfile.mkdtemp()
        os.mkdir(folder + "/shop")
        open(folder + "/shop/models.py", "w").close()
        open(folder + "/manage.py", "w").close()
        shutil.rmtree(folder)
        """,
    )
    manifest, _ = warmed(project)
    assert manifest["written"] == []
    assert {"manage.py", "shop/models.py"} <= set(manifest["files"])


def test_switching_there_and_back(project):
    one, _ = warmed(project)
    project.append("shop/seed.txt", " plum")
    other, _ = warmed(project)
    assert matched(project, one, other) == 1
    project.write("shop/seed.txt", "apple gone pear")
    assert matched(project, one, other) == 0


def test_the_same_files_elsewhere(project, tmp_path_factory):
    manifest, _ = warmed(project)
    moved = tmp_path_factory.mktemp("elsewhere") / "checkout"
    os.rename(project.root, moved)
    project.root = moved
    assert matched(project, manifest) == 0


def test_code_elsewhere_counts_by_its_content(project, tmp_path_factory):
    library = tmp_path_factory.mktemp("library")
    seeds = library / "seeds.py"
    seeds.write_text("NAMES = 'apple'\n")
    project.write("shop/seed.py", "import seeds\n\ndef names():\n    return [seeds.NAMES]\n")
    env = {"PYTHONPATH": str(library)}
    manifest, _ = warmed(project, env)
    assert matched(project, manifest, env=env) == 0
    os.utime(seeds, (0, 0))
    assert matched(project, manifest, env=env) == 0
    # As images have it, where no file has a time of its own.
    seeds.write_text("NAMES = 'melon'\n")
    os.utime(seeds, (0, 0))
    assert matched(project, manifest, env=env) is None


def test_the_environment_of_the_image_counts(project):
    manifest, _ = warmed(project, {"TENANT": "a", "HOSTNAME": "one"})
    assert matched(project, manifest, env={"TENANT": "a", "HOSTNAME": "other"}) == 0
    assert matched(project, manifest, env={"TENANT": "b", "HOSTNAME": "one"}) is None
    assert matched(project, manifest) is None


READERS = {
    "a program": "subprocess.run(['cat', 'data/x.sql'], stdout=subprocess.DEVNULL)",
    "a program elsewhere": "subprocess.run(['cat', '--', 'x.sql'], cwd='data', stdout=subprocess.DEVNULL)",
    "a shell": "os.system('cat <data/x.sql --show-all data/x.sql > /dev/null')",
    "a file that is open for both": "open('data/x.sql', 'r+').close()",
}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_read_in_other_ways_counts(project, reader):
    project.write("data/x.sql", "one")
    settings(project, "import os, subprocess\n%s\n" % READERS[reader])
    manifest, _ = warmed(project)
    assert matched(project, manifest) == 0
    project.write("data/x.sql", "two")
    assert matched(project, manifest) is None


def test_code_behind_a_link_that_leads_back_counts(project, tmp_path_factory):
    link = tmp_path_factory.mktemp("links") / "back"
    link.symlink_to(project.root / "data")
    project.write("data/x.txt", "one")
    settings(project, "open(%r).close()\n" % str(link / "x.txt"))
    manifest, _ = warmed(project)
    assert "data/x.txt" in manifest["files"]


def test_a_root_behind_a_link_and_bytecode_elsewhere(project, tmp_path_factory):
    link = tmp_path_factory.mktemp("links") / "root"
    link.symlink_to(project.root)
    project.root, root = link, project.root
    caches = {"PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("caches"))}
    for _ in range(2):
        with Pod(project, env=caches) as pod:
            pod.hello(trace=True)
            manifest = pod.warm()["manifest"]
    assert "shop/seed.py" in manifest["files"] and "shop/seed.txt" in manifest["files"]
    project.root = root
    assert matched(project, manifest, env=caches) == 0


MALFORMED = [None, 1, [], {}, {"version": 2}, {"version": 1}, {"version": 1, "files": [], "folders": 3}]


def test_a_malformed_manifest_does_not_hold(project):
    manifest, _ = warmed(project)
    versioned = dict(manifest, version=2)
    broken = dict(manifest, files={"shop\0": "x", **manifest["files"]})
    assert matched(project, *MALFORMED, versioned, broken) is None
    assert matched(project, *MALFORMED, manifest) == len(MALFORMED)


def test_a_pod_may_go_on_after_a_match(project):
    with Pod(project) as pod:
        assert pod.match() is None
        pod.whole()
        assert pod.ended() == 0
    assert pod.finished("test_dump")["verdict"] == "passed"
