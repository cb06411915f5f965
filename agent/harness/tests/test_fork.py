"""A child for each app, forked from a process that has loaded Django: what it has to itself, and what its end costs."""

import signal

import pytest
from kept import is_warm, settings, warmed, write_shop
from pod import PATIENCE, Pod
from server import Server
from test_endings import wait_until_gone

TESTS = """
    import os, pathlib, random, tempfile
    from django.conf import settings
    from django.test import TestCase

    class Own(TestCase):
        def test_own(self):
            pathlib.Path(tempfile.gettempdir(), "left-behind").touch()
            pathlib.Path(settings.MEDIA_ROOT, "upload.txt").touch()
            print(os.getpid(), os.getppid(), tempfile.gettempdir(), settings.MEDIA_ROOT, random.random())
            print(sorted(os.listdir(settings.MEDIA_ROOT)))
"""

MEDIA = """
    import pathlib
    MEDIA_ROOT = pathlib.Path(__file__).parent.parent / "media"
"""


@pytest.fixture
def two(project):
    """A project of two apps with the same tests."""
    project.add_app("blog")
    settings(project, MEDIA)
    project.write("media/logo.svg", "<svg/>")
    for app in ("shop", "blog"):
        project.write(app + "/tests.py", TESTS)
    return project


def run(pod, app, databases=None):
    """All tests of an app, in the pod's next child."""
    begin = len(pod.events)
    pod.assign(app, [app], databases=databases)
    pod.run()
    pod.finish()
    assert pod.next()["type"] == "idle"
    return pod.events[begin:]


def finished(events):
    (event,) = [event for event in events if event["type"] == "finished"]
    assert event["verdict"] == "passed", event
    return event


def test_django_is_loaded_once_and_every_app_has_a_process_of_its_own(two):
    with Pod(two) as pod:
        pod.hello(isolation="fork")
        lines = [finished(run(pod, app))["output"].splitlines() for app in ("shop", "blog")]
        pod.process.stdin.close()
        assert pod.process.wait(PATIENCE) in (0, 1)
        assert len(pod.of("booted")) == 1
    (one, one_files), (other, other_files) = lines
    (pid, parent, *places), (other_pid, other_parent, *other_places) = one.split(), other.split()
    assert parent == other_parent and pid != other_pid
    assert not set(places) & set(other_places), "folders, and what is drawn at random"
    assert one_files == other_files == "['logo.svg', 'upload.txt']", "each begins with what the project has"


def test_what_the_other_app_left_in_its_folders_is_gone(two):
    with Pod(two) as pod:
        pod.hello(isolation="fork")
        events = run(pod, "shop")
        temporary = finished(events)["output"].split()[2]
        with pytest.raises(FileNotFoundError):
            open(temporary)
        assert not (two.root / "media/upload.txt").exists()


def test_tests_are_collected_in_a_child_too(two):
    with Pod(two) as pod:
        pod.hello(isolation="fork")
        assert [one["app"] for one in pod.collect()["classes"]] == ["blog", "shop"]
        pod.finish()
        assert pod.next()["type"] == "idle"
        finished(run(pod, "shop"))


CRASH = """
    import ctypes, os, time, unittest

    class Risky(unittest.TestCase):
        def test_a_before(self):
            pass

        def test_risky(self):
            print("about to")
            %s
"""


@pytest.mark.parametrize(
    "body, status, number",
    [
        ("os._exit(0)", 0, None),
        ("os.kill(os.getpid(), 9)", None, signal.SIGKILL),
        ("ctypes.string_at(0)", None, signal.SIGSEGV),
    ],
)
def test_a_child_that_dies_is_told_as_a_worker_that_dies(two, body, status, number):
    two.write("blog/tests.py", CRASH % body)
    with Pod(two) as pod:
        pod.hello(isolation="fork")
        run(pod, "shop")
        pod.assign("blog", ["blog"])
        assert pod.run() is None
        exited = pod.events[-1]
        assert (exited["status"], exited["signal"]) == (status, number)
        assert exited["running"] == "blog.tests.Risky.test_risky"
        assert exited["output"] == "about to\n"
        assert exited["peak_kib"] > 10_000
        assert pod.ended() == 1


def test_the_process_that_forks_may_be_killed_as_well(two):
    two.write("blog/tests.py", CRASH % "os.kill(os.getppid(), 9); time.sleep(600)")
    with Pod(two) as pod:
        pod.hello(isolation="fork")
        pod.assign("blog", ["blog"])
        assert pod.run() is None
        exited = pod.events[-1]
        assert (exited["signal"], exited["running"]) == (signal.SIGKILL, "blog.tests.Risky.test_risky")
        assert pod.ended() == 1


def test_a_child_over_its_limit_is_told_with_its_stacks(two):
    two.write("blog/tests.py", CRASH % "time.sleep(600)")
    with Pod(two) as pod:
        pod.hello(isolation="fork", test_timeout=1.0)
        run(pod, "shop")
        pod.assign("blog", ["blog"])
        assert pod.run() is None
        timed_out, exited = pod.events[-2:]
        assert (timed_out["type"], timed_out["test"]) == ("timed_out", "blog.tests.Risky.test_risky")
        assert "in test_risky" in timed_out["stacks"]
        assert (exited["running"], exited["signal"]) == (None, signal.SIGKILL)
        assert pod.ended() == 1


def test_what_a_child_leaves_running_ends_with_it(two):
    body = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid)"
    two.write("blog/tests.py", CRASH % body)
    with Pod(two) as pod:
        pod.hello(isolation="fork")
        run(pod, "blog")
        wait_until_gone(int(pod.finished("test_risky")["output"].split()[-1]))


THREAD = """
    import threading
    threading.Thread(target=threading.Event().wait, name="watcher", daemon=True).start()
"""


def test_where_threads_run_nothing_is_forked(two):
    settings(two, THREAD)
    with Pod(two) as pod:
        assert pod.hello(isolation="fork")["threads"] == ["watcher"]
        pod.assign("shop", ["shop"])
        pod.run()
        pod.finish()
        assert pod.ended() == 0, "it ends as a pod of one app does"
        (warning,) = pod.one("warnings")["warnings"]
        assert warning["message"].endswith("(watcher), so its apps are not forked")


EARLY = """
    from django.apps import AppConfig

    class ShopConfig(AppConfig):
        name = "shop"

        def ready(self):
            from django.core.cache import cache
            from django.db import connection
            cache.set("early", 1)
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            ShopConfig.opened = connection.connection
"""

RECORDING = """
    import warnings
    warnings.filterwarnings("ignore", "Accessing the database")
    DATABASES["default"].update(ENGINE="conf.recording", NAME="site.sqlite3")
    CACHES = {"default": {"BACKEND": "conf.recording.cache.Cache"}}
"""

POOL = """
    import os
    from django.db.backends.sqlite3 import base

    CLOSED = []

    class DatabaseWrapper(base.DatabaseWrapper):
        def close_pool(self):
            CLOSED.append(os.getpid())
"""

CACHE = """
    import os
    from django.core.cache.backends.locmem import LocMemCache

    CLOSED = []

    class Cache(LocMemCache):
        def close(self, **kwargs):
            CLOSED.append(os.getpid())
"""

LATER = """
    import os
    from django.db import connection
    from django.test import SimpleTestCase
    from conf.recording import base, cache
    from shop.apps import ShopConfig

    # Before the databases of the tests take the place of the project's.
    inherited = connection.connection
    connection.ensure_connection()
    is_fresh = connection.connection is not ShopConfig.opened
    pools, caches = list(base.CLOSED), list(cache.CLOSED)

    class Later(SimpleTestCase):
        def test_later(self):
            print(inherited, is_fresh, set(pools) == {os.getppid()}, set(caches) == {os.getppid()})
"""


@pytest.fixture
def early(two):
    """A project that speaks to its database and its cache as it is loaded, and records who ends that."""
    settings(two, RECORDING)
    two.write("conf/recording/__init__.py", "")
    two.write("conf/recording/base.py", POOL)
    two.write("conf/recording/cache.py", CACHE)
    two.write("shop/apps.py", EARLY)
    two.write("blog/tests.py", LATER)
    return two


def test_connections_pools_and_caches_from_before_the_fork_are_closed_by_the_parent(early):
    with Pod(early) as pod:
        pod.hello(isolation="fork")
        for _ in range(2):
            inherited, is_fresh, pool, cache = finished(run(pod, "blog"))["output"].split()
            assert (inherited, is_fresh) == ("None", "True"), "what is opened next is the child's own"
            assert (pool, cache) == ("True", "True")


def test_kept_databases_of_files_and_memory_are_copied_for_each_child(project):
    write_shop(project)
    _, kept = warmed(project)
    with Pod(project) as pod:
        pod.hello(isolation="fork", output_limit=1 << 20)
        for _ in range(2):
            finished(run(pod, "shop", kept))
            assert pod.of("ready")[-1]["databases"][0]["warm"]


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.stop()


MARK = """
    from django.db import connection
    from django.test import TransactionTestCase
    from shop.models import Item

    class Mark(TransactionTestCase):
        serialized_rollback = True

        def test_marks(self):
            print(connection.settings_dict["NAME"], Item.objects.count())
            Item.objects.create(name="mine")
"""


def test_a_kept_database_on_a_server_is_a_template(project, server):
    write_shop(project)
    project.write("conf/settings.py", server.settings)
    _, kept = warmed(project)
    project.write("shop/tests.py", MARK)
    with Pod(project) as pod:
        pod.hello(isolation="fork")
        for _ in range(2):
            assert finished(run(pod, "shop", kept))["output"] == "test_shop_1 2\n"
            assert pod.of("ready")[-1]["databases"][0]["warm"]
        assert server.names() == ["test_shop"], "only what was kept"
    server.query("DROP DATABASE test_shop")


def test_verdicts_are_those_of_a_pod_for_each_app(two):
    two.write("blog/tests.py", "from django.test import TestCase\nclass One(TestCase):\n    def test(self): 1 / 0\n")
    with Pod(two) as whole:
        whole.whole("blog")
    with Pod(two) as pod:
        pod.hello(isolation="fork")
        run(pod, "shop")
        events = run(pod, "blog")
    (forked,) = [event for event in events if event["type"] == "finished"]
    (alone,) = whole.of("finished")
    assert dict(forked, seconds=0) == dict(alone, seconds=0)
