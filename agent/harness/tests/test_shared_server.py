"""Databases on a server that other pods use at the same time: whose they are, and that none is left."""

import os
import select
import time

import pytest
from pod import PATIENCE, Pod
from server import Server

TOKEN, OTHER_TOKEN = "0123456789ab", "ba9876543210"
NAME = "test_mt%s_%s"

MODELS = """
    from django.db import models

    class Item(models.Model):
        name = models.CharField(max_length=20)
"""

TESTS = """
    import os, pathlib, time
    from django.db import connection
    from django.test import TestCase
    from shop.models import Item

    class Shop(TestCase):
        def test_rows(self):
            print(connection.settings_dict["NAME"])
            Item.objects.create(name="apple")
            %s
            self.assertEqual(Item.objects.count(), 1)
"""

# Until the file `go` is there, which whoever waits for `begun` makes.
WAIT = 'pathlib.Path("begun").touch(); [time.sleep(0.01) for _ in iter(pathlib.Path("go").exists, True)]'


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def shop(project, server):
    project.write("conf/settings.py", server.settings)
    project.write("shop/models.py", MODELS)
    project.write("shop/tests.py", TESTS % "pass")
    yield project
    assert server.names() == [], "every test leaves the server as it was"


def printed(pod, test="test_rows"):
    return pod.finished(test)["output"].split()


def wait_for(path):
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, "%s did not come" % path
        select.select([], [], [], 0.01)


def begin(pod, token):
    """Up to the middle of its one test."""
    pod.hello(db_token=token)
    pod.assign()
    pod.send("run", grant=1, tests=None)
    wait_for(pod.project.root / "begun")
    (pod.project.root / "begun").unlink()


def end(pod):
    (pod.project.root / "go").touch()
    pod.until("done")
    pod.finish()
    assert pod.ended() == 0


def test_two_pods_at_once_do_not_meet(shop, server):
    shop.write("shop/tests.py", TESTS % WAIT)
    with Pod(shop) as one, Pod(shop) as other:
        begin(one, TOKEN)
        begin(other, OTHER_TOKEN)
        names = [NAME % (TOKEN, "shop"), NAME % (OTHER_TOKEN, "shop")]
        assert server.names() == names
        end(one)
        end(other)
        assert [printed(one), printed(other)] == [names[:1], names[1:]]


@pytest.mark.parametrize(
    "test, prefix, token, name",
    [
        ({}, None, None, "test_shop"),
        ({}, "ci", None, "ci_shop"),
        ({"NAME": "theirs"}, None, None, "theirs"),
        ({"NAME": "theirs"}, "ci", None, "ci_theirs"),
        ({"NAME": "theirs"}, None, TOKEN, "test_mt0123456789ab_theirs"),
        ({"NAME": "theirs"}, "ci", TOKEN, "ci_mt0123456789ab_theirs"),
        ({"NAME": "x" * 60}, None, TOKEN, "test_mt0123456789ab_" + "x" * 29 + "_42f2d973"),
    ],
)
def test_names(shop, test, prefix, token, name):
    shop.append("conf/settings.py", "DATABASES['default']['TEST'] = %r\n" % test)
    with Pod(shop) as pod:
        pod.whole(db_prefix=prefix, db_token=token)
        assert pod.ended() == 0
    assert printed(pod) == [name]
    assert len(name) < 60, "PostgreSQL would cut it after 63 bytes"


ALIASES = """
DATABASES["audit"] = dict(DATABASES["default"], NAME="audit", TEST={"DEPENDENCIES": ["late"]})
DATABASES["late"] = dict(DATABASES["default"], NAME="late", TEST={"DEPENDENCIES": []})
DATABASES["same"] = dict(DATABASES["default"], TEST={"DEPENDENCIES": []})
DATABASES["replica"] = dict(DATABASES["default"], TEST={"MIRROR": "default"})
DATABASES["unused"] = dict(DATABASES["default"], NAME="unused")
"""

MANY = """
    from django.db import connections
    from django.test import TransactionTestCase
    from shop.models import Item

    class Many(TransactionTestCase):
        databases = {"default", "audit", "late", "same", "replica"}
        serialized_rollback = True

        def test_aliases(self):
            for alias in sorted(self.databases):
                print(connections[alias].settings_dict["NAME"])
            Item.objects.create(name="apple")
            self.assertEqual(Item.objects.using("replica").count(), 1)
            self.assertEqual(Item.objects.using("audit").count(), 0)
"""


def test_aliases_mirrors_and_dependencies(shop):
    shop.append("conf/settings.py", ALIASES)
    shop.write("shop/tests.py", MANY)
    with Pod(shop) as pod:
        pod.whole(db_token=TOKEN)
        assert pod.ended() == 0, pod.events
    assert pod.finished("test_aliases")["verdict"] == "passed"
    kept_apart = ["audit", "shop", "late", "shop", "shop"]
    assert printed(pod, "test_aliases") == [NAME % (TOKEN, name) for name in kept_apart]
    made = [database["alias"] for database in pod.one("ready")["databases"]]
    assert made.index("late") < made.index("audit")


@pytest.mark.parametrize("how", ["os._exit(0)", "os.kill(os.getpid(), 9)", "time.sleep(600)"])
def test_a_worker_that_dies_leaves_nothing(shop, server, how):
    shop.write("shop/tests.py", TESTS % how)
    with Pod(shop) as pod:
        pod.whole(db_token=TOKEN, test_timeout=1.0)
        assert pod.ended() == 1
        assert pod.process.stderr.read().decode() == ""
    server.is_empty()


def test_a_pod_that_is_told_to_end_leaves_nothing(shop, server):
    shop.write("shop/tests.py", TESTS % WAIT)
    with Pod(shop) as pod:
        begin(pod, TOKEN)
        assert server.names() == [NAME % (TOKEN, "shop")]
        pod.process.terminate()
        pod.process.wait(PATIENCE)
    server.is_empty()


def test_a_set_up_that_fails_leaves_nothing(shop, server):
    shop.write("shop/migrations/0001_initial.py", "raise RuntimeError('no')\n")
    with Pod(shop) as pod:
        pod.whole(db_token=TOKEN)
        assert pod.ended() == 1
        assert pod.one("failed")["phase"] == "databases"
    server.is_empty()


KEEPING = """
    from django.test.runner import DiscoverRunner

    class Runner(DiscoverRunner):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **dict(kwargs, keepdb=True))
"""


def test_a_runner_that_keeps_its_databases_leaves_nothing(shop, server):
    shop.write("conf/runner.py", KEEPING)
    shop.append("conf/settings.py", 'TEST_RUNNER = "conf.runner.Runner"\n')
    with Pod(shop) as pod:
        pod.whole(db_token=TOKEN)
        assert pod.ended() == 0
    assert server.names() == []


def test_the_next_pod_removes_what_a_killed_pod_left_and_spares_what_is_in_use(shop, server):
    shop.write("shop/tests.py", TESTS % WAIT)
    with Pod(shop) as killed, Pod(shop) as alive:
        begin(killed, TOKEN)
        begin(alive, OTHER_TOKEN)
        killed.process.kill()
        killed.process.wait(PATIENCE)
        assert server.names() == [NAME % (TOKEN, "shop"), NAME % (OTHER_TOKEN, "shop")]
        end_of_client(server, NAME % (TOKEN, "shop"))
        with Pod(shop) as following:
            (shop.root / "go").touch()
            following.whole(db_token="f" * 12)
            assert following.ended() == 0
        assert server.names() == [NAME % (OTHER_TOKEN, "shop")]
        end(alive)


def end_of_client(server, name):
    """Wait until the server knows that whoever was connected to a database is gone, and so is its lock."""
    deadline = time.monotonic() + PATIENCE
    lock = "SELECT 1 FROM pg_stat_activity WHERE datname = '%s'" % name
    locks = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"
    while server.query(lock) or len(server.query(locks)) != 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_is_not_ours_is_never_removed(shop, server):
    server.query("CREATE DATABASE test_shop")
    server.query("CREATE DATABASE mt0123456789ab_shop")
    try:
        with Pod(shop) as pod:
            pod.whole(db_token=TOKEN)
            assert pod.ended() == 0
        assert server.names() == ["mt0123456789ab_shop", "test_shop"]
    finally:
        server.query("DROP DATABASE test_shop")
        server.query("DROP DATABASE mt0123456789ab_shop")


def test_nothing_is_kept_on_a_shared_server(shop, server):
    with Pod(shop) as pod:
        pod.hello(trace=True, db_token=TOKEN)
        pod.warm()
        assert pod.of("database") == []
    assert server.names() == []


FILE = """
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3", "NAME": "site.sqlite3", "TEST": {"NAME": %r},
        }
    }
"""


@pytest.mark.parametrize("how, code", [("pass", 0), ("os._exit(0)", 1)])
def test_files_outside_of_the_pod_are_nobody_elses_either(project, tmp_path_factory, how, code):
    folder = tmp_path_factory.mktemp("shared")
    temporary = tmp_path_factory.mktemp("tmp")
    project.append("conf/settings.py", FILE.replace("\n    ", "\n") % str(folder / "test.sqlite3"))
    project.write("shop/models.py", MODELS)
    project.write("shop/tests.py", TESTS % ("print(os.listdir(%r)); %s" % (str(folder), how)))
    with Pod(project, {"TMPDIR": str(temporary)}) as pod:
        pod.whole(db_token=TOKEN)
        assert pod.ended() == code
    last = pod.events[-1] if code else pod.finished("test_rows")
    assert "test_mt0123456789ab.sqlite3" in last["output"]
    assert os.listdir(folder) == []
