"""Tests that are granted class by class: the same as all of them at once, in verdicts, fixtures and databases."""

import re
import statistics
import textwrap
import time

import pytest
from pod import Pod
from project import Bare, Project

# Writes what happens to a file outside of the project, in the order in which it happens.
LOG = """
    import os

    def log(text):
        with open(os.environ["LOG"], "a") as file:
            file.write(text + "\\n")
"""

MIGRATION = """
    from django.db import migrations, models
    from conf.log import log

    class Migration(migrations.Migration):
        initial = True
        operations = [
            migrations.CreateModel(
                "Item",
                [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=9))],
            ),
            migrations.RunPython(lambda apps, editor: log("migrated")),
        ]
"""

MODELS = """
    from django.db import models

    class Item(models.Model):
        name = models.CharField(max_length=9)
"""

FIXTURES = """
    import unittest
    from conf.log import log

    class Logged:
        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            log("+" + cls.__name__)
            print("set up", cls.__name__)

        @classmethod
        def tearDownClass(cls):
            log("-" + cls.__name__)
            super().tearDownClass()

        def test_a(self):
            log("a " + type(self).__name__)

        def test_b(self):
            log("b " + type(self).__name__)
            self.assertTrue(getattr(self, "right", True))

    class Plain(Logged, unittest.TestCase):
        pass

    class Broken(Logged, unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            raise ValueError("no")

    class Wrong(Logged, unittest.TestCase):
        right = False

        @unittest.skip("not today")
        def test_c(self):
            pass

        @unittest.expectedFailure
        def test_d(self):
            self.fail()

        def test_parts(self):
            for i in range(3):
                with self.subTest(i=i):
                    self.assertNotEqual(i, 1)
"""

MODULE = """
    import unittest
    from conf.log import log

    def setUpModule():
        log("+module")

    def tearDownModule():
        log("-module")

    class One(unittest.TestCase):
        def test_one(self):
            log("one")

    class Two(unittest.TestCase):
        def test_two(self):
            log("two")
"""

DATABASE = """
    from django.test import SimpleTestCase, TestCase, TransactionTestCase
    from conf.log import log
    from shop.models import Item

    class Flushing(TransactionTestCase):
        def test_flush(self):
            log("flush %d" % Item.objects.count())
            Item.objects.create(name="mine")

        def test_flush_again(self):
            log("flush again %d" % Item.objects.count())

    class Simple(SimpleTestCase):
        def test_simple(self):
            log("simple")

    class Rows(TestCase):
        @classmethod
        def setUpTestData(cls):
            log("data")
            Item.objects.create(name="data")

        def test_rows(self):
            log("rows %d" % Item.objects.count())

        def test_rows_again(self):
            log("rows again %d" % Item.objects.count())
"""

FUNCTIONS = """
    import pytest
    from conf.log import log

    @pytest.fixture(scope="session")
    def session():
        log("+session")
        yield
        log("-session")

    @pytest.fixture(scope="module")
    def module(session):
        log("+module")
        yield
        log("-module")

    @pytest.fixture(scope="class")
    def cls(module):
        log("+class")
        yield
        log("-class")

    def test_first(module):
        log("first")

    class TestInside:
        def test_x(self, cls):
            log("x")

        @pytest.mark.parametrize("n", [1, 2])
        def test_y(self, cls, n):
            log("y%d" % n)
            assert n == 1

    class TestOther:
        def test_z(self, cls):
            log("z")

    def test_last(module):
        log("last")

    def test_broken(missing):
        pass
"""

DB_FUNCTIONS = """
    import pytest
    from conf.log import log
    from shop.models import Item

    @pytest.mark.django_db(transaction=True)
    def test_flush():
        log("flush %d" % Item.objects.count())
        Item.objects.create(name="mine")

    @pytest.mark.django_db
    def test_rows():
        log("rows %d" % Item.objects.count())

    def test_without():
        log("without")
"""


def django(root):
    project = Project(root)
    project.write("shop/models.py", MODELS)
    project.write("shop/migrations/0001_initial.py", MIGRATION)
    project.write("shop/tests/test_database.py", DATABASE)
    return project


def only_python(root):
    project = Bare(root)
    project.apps = [{"label": "shop", "path": "shop"}]
    project.write("shop/tests/test_fixtures.py", FIXTURES)
    project.write("shop/__init__.py", "")
    return project


def of_django(root):
    return django(root), {}


def of_forks(root):
    return django(root), {"isolation": "fork"}


def of_unittest(root):
    return only_python(root), {"adapter": "unittest"}


def of_pytest(root):
    project = only_python(root)
    project.write("shop/tests/test_functions.py", FUNCTIONS)
    return project, {"adapter": "pytest"}


def of_pytest_django(root):
    project = django(root)
    project.write("shop/tests/test_functions.py", DB_FUNCTIONS)
    (root / "pytest.ini").write_text("[pytest]\n")
    return project, {"adapter": "pytest", "settings": "conf.settings"}


KINDS = [of_django, of_forks, of_unittest, of_pytest, of_pytest_django]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request, tmp_path):
    (tmp_path / "project").mkdir()
    project, options = request.param(tmp_path / "project")
    project.write("conf/log.py", LOG)
    project.write("shop/tests/test_fixtures.py", FIXTURES)
    project.write("shop/tests/test_module.py", MODULE)
    project.log = tmp_path / "log"
    return project, options


ADDRESS = re.compile("0x[0-9a-f]+")


def jobs(inventory):
    """Ids by class, in the order of phases; modules with fixtures of their own are whole."""
    found = {}
    for index, cls in enumerate(inventory["classes"]):
        key = (cls["phase"], cls["module"]) if cls["whole_module"] else (cls["phase"], cls["module"], cls["id"])
        found.setdefault(key, (cls["phase"], index, []))[2].extend(test["id"] for test in cls["tests"])
    return [ids for _, _, ids in sorted(found.values(), key=lambda job: job[:2])]


def run(kind, grants):
    """The pod, and what its fixtures and tests wrote. `grants` cuts jobs into grants."""
    project, options = kind
    project.log.write_text("")
    with Pod(project, {"LOG": str(project.log)}) as pod:
        pod.hello(**options)
        pod.assign()
        cut = grants(jobs(pod.one("planned")["inventory"]))
        for number, ids in enumerate(cut, 1):
            tests = None if ids is None else [{"id": id, "try": 1} for id in ids]
            pod.send("run", grant=number, tests=tests, last=number == len(cut))
            assert pod.until("done"), pod.events[-2:]
        pod.finish()
        assert [event["grant"] for event in pod.of("done")] == list(range(1, len(cut) + 1))
    return pod, project.log.read_text().splitlines()


def told(pod):
    """Verdicts, red fixtures, classes and databases, without what differs from process to process."""
    finished = {event["test"]: ADDRESS.sub("0x", str(dict(event, seconds=0))) for event in pod.of("finished")}
    assert len(finished) == len(pod.of("finished")), "each test once"
    fixtures = sorted((event["id"], event["verdict"], sorted(event["tests"])) for event in pod.of("fixture"))
    # Functions of a file in which classes stand between them are told of several times.
    classes = sorted({(event["class"], event["output"]) for event in pod.of("class")})
    databases = [(one["alias"], one["warm"]) for one in pod.one("ready")["databases"]]
    return finished, fixtures, classes, databases


def one_grant(jobs):
    return [None]


def by_job(jobs):
    assert len(jobs) > 2
    return jobs


def by_pair(jobs):
    return [sum(jobs[index : index + 2], []) for index in range(0, len(jobs), 2)]


def test_verdicts_fixtures_and_databases_are_those_of_one_grant(kind):
    whole, whole_log = run(kind, one_grant)
    assert {event["verdict"] for event in whole.of("finished")} >= {"passed", "failed", "skipped", "expected_failure"}
    for cut in (by_job, by_pair):
        small, log = run(kind, cut)
        assert told(small) == told(whole)
        assert sorted(log) == sorted(whole_log), "every fixture is set up and taken down as often"
        assert in_pairs(log) and in_pairs(whole_log), log
    assert log.count("migrated") <= 1


def in_pairs(log):
    """Whether what is set up is taken down before it is set up again."""
    alive = set()
    for line in log:
        if line.startswith("+"):
            if line[1:] in alive:
                return False
            alive.add(line[1:])
        elif line.startswith("-"):
            alive.discard(line[1:])
    return not alive


def test_order_is_that_of_one_grant_where_classes_are_granted_in_it(kind):
    project, options = kind
    if options.get("adapter") == "pytest":
        # Functions around a class are one job, so that class comes after them.
        for name in ("test_functions.py", "test_database.py"):
            path = project.root / "shop/tests" / name
            if path.exists():
                path.unlink()
    _, whole = run(kind, one_grant)
    _, small = run(kind, by_job)
    assert small == whole


MANY = """
    import unittest

    for number in range(60):
        name = "Case%02d" % number
        globals()[name] = type(name, (unittest.TestCase,), {"test_it": lambda self: None, "__module__": __name__})
"""


def test_the_time_between_two_grants_is_next_to_nothing(kind):
    project, options = kind
    (project.root / "shop/tests/test_many.py").write_text(textwrap.dedent(MANY))
    times = []
    with Pod(project, {"LOG": str(project.log)}) as pod:
        pod.hello(**options)
        pod.assign()
        for number in range(60):
            name = "shop.tests.test_many.Case%02d.test_it" % number
            if options.get("adapter") == "pytest":
                name = "shop/tests/test_many.py::Case%02d::test_it" % number
            begun = time.monotonic()
            pod.run([{"id": name, "try": 1}], grant=number + 1)
            times.append(time.monotonic() - begun)
        pod.finish()
        assert len(pod.of("finished")) == 60
    # A fresh set-up of anything, such as databases or a module's loading, takes many times as long.
    assert statistics.median(times) < 0.05, times
