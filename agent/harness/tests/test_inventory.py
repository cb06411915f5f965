"""What is found, in which order, and whose it is."""

import re
import subprocess
import sys

import pytest
from pod import Pod
from project import Project

CART = """
    import unittest
    from django.test import SimpleTestCase, TestCase, TransactionTestCase, tag

    class Plain(unittest.TestCase):
        def test_plain(self):
            pass

    class Transactional(TransactionTestCase):
        databases = "__all__"

        def test_transactional(self):
            pass

    @tag("slow", "web")
    class Tagged(TestCase):
        @tag("core")
        def test_tagged(self):
            pass

        def test_untagged(self):
            pass

    class Simple(SimpleTestCase):
        def test_simple(self):
            pass
"""

SERIAL = """
    import unittest
    from django.test.runner import DiscoverRunner

    class Result(unittest.TextTestResult):
        def stopTest(self, test):
            super().stopTest(test)
            print("ran", test.id())

    class Runner(DiscoverRunner):
        def get_resultclass(self):
            return Result
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("inventory"))
    project.add_app("billing")
    project.add_app("tax", "billing/tax")
    project.append(
        "conf/settings.py",
        'DATABASES["other"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}\n',
    )
    project.write("shop/tests/test_cart.py", CART)
    project.write("shop/tests/test_syntax.py", "def broken(:\n")
    project.write("shop/tests/test_load.py", "def load_tests(*args):\n    raise ValueError('no tests')\n")
    project.write("shop/tests/test_import.py", "import nowhere_to_be_found\n")
    project.write(
        "shop/tests/test_skip.py", "import unittest\nraise unittest.SkipTest('not on this system')\n"
    )
    project.write(
        "billing/tests.py",
        """
        import unittest
        from shop.tests.test_cart import Plain

        def setUpModule():
            pass

        class Bill(unittest.TestCase):
            def test_bill(self):
                pass
        """,
    )
    project.write(
        "billing/tax/tests.py",
        """
        import unittest

        def load_tests(loader, tests, pattern):
            def make(value):
                class Made(unittest.TestCase):
                    def test_made(self):
                        self.assertEqual(value, 1)
                return Made
            for value in (1, 2):
                tests.addTests(loader.loadTestsFromTestCase(make(value)))
            tests.addTest(unittest.FunctionTestCase(lambda: None))
            return tests
        """,
    )
    project.write(
        "tests/test_outside.py",
        """
        import unittest

        class Outside(unittest.TestCase):
            def test_outside(self):
                pass
        """,
    )
    return project


@pytest.fixture(scope="module")
def inventory(project):
    with Pod(project) as pod:
        pod.hello()
        yield pod.collect()


def classes(inventory):
    return {entry["id"]: entry for entry in inventory["classes"]}


def ids(inventory):
    return [test["id"] for entry in inventory["classes"] for test in entry["tests"]]


def test_the_same_tests_in_the_same_order_as_a_serial_run(project, inventory):
    project.write("serial.py", SERIAL)
    serial = subprocess.run(
        [sys.executable, "manage.py", "test", "--testrunner", "serial.Runner"],
        cwd=project.root,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    ran = re.findall(r"^ran (.*)$", serial.stdout, re.M)
    errors = [error["id"] for error in inventory["errors"]]
    assert ran == errors + [id.partition("#")[0] for id in ids(inventory)]


def test_a_class_as_the_scheduler_needs_it(inventory):
    tagged = classes(inventory)["shop.tests.test_cart.Tagged"]
    assert tagged == {
        "id": "shop.tests.test_cart.Tagged",
        "app": "shop",
        "module": "shop.tests.test_cart",
        "file": "shop/tests/test_cart.py",
        "line": 16,
        "phase": 0,
        "whole_module": False,
        "tags": ["slow", "web"],
        "databases": ["default"],
        "bases": [
            "django.test.testcases.TestCase",
            "django.test.testcases.TransactionTestCase",
            "django.test.testcases.SimpleTestCase",
            "unittest.case.TestCase",
        ],
        "tests": [
            {"id": "shop.tests.test_cart.Tagged.test_tagged", "tags": ["core"]},
            {"id": "shop.tests.test_cart.Tagged.test_untagged", "tags": []},
        ],
    }


def test_phases_and_databases(inventory):
    found = classes(inventory)
    phases = [
        found["shop.tests.test_cart." + name]["phase"]
        for name in ("Tagged", "Simple", "Transactional", "Plain")
    ]
    assert phases == [0, 1, 1, 2]
    assert found["shop.tests.test_cart.Transactional"]["databases"] == ["default", "other"]
    assert found["shop.tests.test_cart.Simple"]["databases"] == []


def test_the_longest_app_path_owns_a_file(inventory):
    apps = {entry["id"]: entry["app"] for entry in inventory["classes"]}
    assert apps["billing.tests.Bill"] == "billing"
    assert apps["billing.tax.tests.load_tests.<locals>.make.<locals>.Made"] == "tax"
    assert apps["unittest.case.FunctionTestCase"] == "tax"
    assert apps["tests.test_outside.Outside"] == "(other)"


def test_a_class_imported_elsewhere_belongs_to_the_app_that_defines_it(inventory):
    plain = classes(inventory)["shop.tests.test_cart.Plain"]
    assert (plain["app"], plain["file"]) == ("shop", "shop/tests/test_cart.py")
    assert plain["module"] == "billing.tests"
    assert ids(inventory).count("shop.tests.test_cart.Plain.test_plain") == 1


def test_modules_that_must_not_be_split(inventory):
    whole = {entry["module"] for entry in inventory["classes"] if entry["whole_module"]}
    assert whole == {"billing.tests", "billing.tax.tests"}


def test_equal_ids_are_told_apart(inventory):
    made = "billing.tax.tests.load_tests.<locals>.make.<locals>.Made"
    assert [id for id in classes(inventory) if "Made" in id] == [made, made + "#2"]
    assert [id for id in ids(inventory) if "Made" in id] == [made + ".test_made", made + ".test_made#2"]


def test_modules_that_cannot_be_loaded(inventory):
    errors = {error["id"].partition("_FailedTest.")[2]: error for error in inventory["errors"]}
    assert set(errors) == {"shop.tests.test_import", "shop.tests.test_load", "shop.tests.test_syntax"}
    assert {error["app"] for error in errors.values()} == {"shop"}
    (failure,) = errors["shop.tests.test_syntax"]["failures"]
    assert failure["exception"] == "SyntaxError"
    assert "test_syntax.py" in failure["message"]
    (failure,) = errors["shop.tests.test_load"]["failures"]
    assert (failure["exception"], failure["message"]) == ("ValueError", "no tests")
    (failure,) = errors["shop.tests.test_import"]["failures"]
    assert failure["exception"] == "ModuleNotFoundError"
    assert "unittest/loader.py" not in failure["traceback"]


def test_a_skipped_module_is_a_test_of_its_app(inventory):
    skipped = classes(inventory)["unittest.loader.ModuleSkipped"]
    assert (skipped["app"], skipped["module"]) == ("shop", "shop.tests.test_skip")
    assert [test["id"] for test in skipped["tests"]] == ["unittest.loader.ModuleSkipped.shop.tests.test_skip"]


def test_direct_labels_give_the_ids_of_discovery(project, inventory):
    labels = [
        "shop.tests.test_syntax",
        "shop.tests.test_load",
        "shop.tests.test_import.Cart",
        "shop.tests.test_skip",
    ]
    with Pod(project) as pod:
        pod.hello()
        direct = pod.collect(*labels)
    assert sorted(e["id"] for e in direct["errors"]) == sorted(e["id"] for e in inventory["errors"])
    assert ids(direct) == ["unittest.loader.ModuleSkipped.shop.tests.test_skip"]


def test_a_label_that_names_nothing_is_an_error(project):
    with Pod(project) as pod:
        pod.hello()
        (error,) = pod.collect("shop.tests.test_cart.Nobody")["errors"]
    assert error["id"] == "unittest.loader._FailedTest.Nobody"


def test_a_plan_is_what_belongs_to_the_app(project):
    with Pod(project) as pod:
        pod.hello()
        pod.collect()
        pod.assign("shop")
        planned = pod.one("planned")
        assert {entry["app"] for entry in planned["inventory"]["classes"]} == {"shop"}
        assert len(planned["inventory"]["errors"]) == 3
        pod.run()
        pod.finish()
        assert pod.finished("test_skip")["reason"] == "not on this system"


def test_a_plan_of_ids_says_what_is_missing(project):
    wanted = ["shop.tests.test_cart.Tagged.test_tagged", "shop.tests.test_cart.Tagged.test_gone"]
    with Pod(project) as pod:
        pod.hello()
        pod.assign("shop", labels=["shop.tests.test_cart"], tests=wanted)
        planned = pod.one("planned")
        assert ids(planned["inventory"]) == wanted[:1]
        assert planned["missing"] == wanted[1:]
        pod.run()
        pod.finish()
        assert [event["test"] for event in pod.of("finished")] == wanted[:1]


def test_nothing_to_do_is_a_good_pod(project):
    with Pod(project) as pod:
        pod.hello()
        pod.assign("nobody")
        pod.run()
        assert pod.finish()["tests"] == 0


def test_finish_after_collecting_alone(project):
    with Pod(project) as pod:
        pod.hello()
        pod.collect()
        assert pod.finish()["tests"] == 0
        assert pod.ended() == 0
