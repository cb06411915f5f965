"""Several grants in one warm pod."""

import pytest
from pod import Pod

TESTS = """
    import unittest
    from django.contrib.contenttypes.models import ContentType
    from django.test import TestCase

    class One(TestCase):
        @classmethod
        def setUpTestData(cls):
            print("data")
            ContentType.objects.create(app_label="made", model="here")

        def test_a(self):
            self.assertFalse(hasattr(self, "used"))
            self.used = True

        def test_b(self):
            self.assertEqual(ContentType.objects.filter(app_label="made").count(), 1)

    class Two(TestCase):
        tries = 0

        def test_flaky(self):
            type(self).tries += 1
            self.assertEqual(self.tries, 2)
"""


@pytest.fixture
def ready(project):
    project.append("conf/settings.py", 'INSTALLED_APPS += ["django.contrib.contenttypes"]\n')
    project.write("shop/tests.py", TESTS)
    with Pod(project) as pod:
        pod.hello()
        pod.assign()
        yield pod


def test_an_object_that_refers_to_itself_runs_as_in_a_serial_run(project):
    project.write(
        "shop/tests.py",
        """
        import unittest

        class Bound(unittest.TestCase):
            def __init__(self, name):
                super().__init__(name)
                self.check = self.check_what_set_up_did

            def setUp(self):
                self.value = 1

            def check_what_set_up_did(self):
                self.assertEqual(self.value, 1)

            def test_bound(self):
                self.check()
        """,
    )
    with Pod(project) as pod:
        assert pod.whole().verdicts() == {"Bound.test_bound": "passed"}


def granted(*names, attempt=1):
    return [{"id": "shop.tests." + name, "try": attempt} for name in names]


def finished(pod):
    return [(e["test"].partition(".tests.")[2], e["try"], e["verdict"]) for e in pod.of("finished")]


def test_databases_are_set_up_once_and_class_fixtures_per_grant(ready):
    ready.run(granted("One.test_a"), grant=1)
    ready.run(granted("One.test_b"), grant=2)
    assert ready.finish()["tests"] == 2
    assert [event["grant"] for event in ready.of("done")] == [1, 2]
    assert finished(ready) == [("One.test_a", 1, "passed"), ("One.test_b", 1, "passed")]
    assert [event["output"] for event in ready.of("class")] == ["data\n", "data\n"]


def test_tests_run_in_the_order_of_the_plan(ready):
    ready.run(granted("Two.test_flaky", "One.test_b", "One.test_a"))
    assert [name for name, _, _ in finished(ready)] == ["One.test_a", "One.test_b", "Two.test_flaky"]


def test_an_order_that_is_asked_for_is_kept(ready):
    tests = granted("Two.test_flaky", "One.test_b", "One.test_a")
    ready.send("run", grant=1, tests=tests, ordered=True)
    ready.until("done")
    assert [name for name, _, _ in finished(ready)] == ["Two.test_flaky", "One.test_b", "One.test_a"]


MANY = """
    import unittest
    from django.test import SimpleTestCase, TestCase

    def methods():
        return {"test_%d" % number: lambda self: None for number in range(8)}

    for number in range(6):
        for base in (TestCase, SimpleTestCase, unittest.TestCase):
            name = "%s%d" % (base.__module__.partition(".")[0] + base.__name__, number)
            globals()[name] = type(name, (base,), dict(methods(), __module__=__name__))
    del base
"""


def order(project, tests=None, **options):
    with Pod(project) as pod:
        pod.hello(**options)
        pod.assign(tests=tests)
        pod.run()
        pod.finish()
        return [event["test"] for event in pod.of("finished")]


def is_in_blocks(names):
    """Whether equal ones stand side by side."""
    return len(set(names)) == sum(name != before for before, name in zip([None] + names, names))


@pytest.mark.parametrize("adapter", ["django", "own"])
def test_a_seed_gives_another_order_and_the_same_one_each_time(project, adapter):
    project.write("shop/tests.py", MANY)
    if adapter == "own":  # As with a runner of Django before 4.0, which knows no such option.
        project.append("conf/settings.py", 'TEST_RUNNER = "shop.runner.Runner"\n')
        project.write(
            "shop/runner.py",
            """
            from django.test.runner import DiscoverRunner

            class Runner(DiscoverRunner):
                def __init__(self, *args, **kwargs):
                    super().__init__(*args, **kwargs)
                    del self.shuffle

                def build_suite(self, *args, **kwargs):
                    self.shuffle = False
                    return super().build_suite(*args, **kwargs)
            """,
        )
    serial, seven, eight = order(project), order(project, shuffle=7), order(project, shuffle=8)
    assert sorted(serial) == sorted(seven) == sorted(eight)
    assert len({tuple(serial), tuple(seven), tuple(eight)}) == 3
    assert order(project, shuffle=7) == seven
    classes = [id.split(".")[2] for id in seven]
    assert is_in_blocks(classes), "classes stay together"
    kinds = [name.startswith("djangoTestCase") for name in classes]
    assert kinds == sorted(kinds, reverse=True), "what does not flush comes first"
    some = set(seven[::3])
    assert order(project, list(some), shuffle=7) == [id for id in seven if id in some]


def test_a_second_try_is_told_by_its_number(ready):
    ready.run(granted("Two.test_flaky"), grant=1)
    ready.run(granted("Two.test_flaky", attempt=2), grant=2)
    assert finished(ready) == [("Two.test_flaky", 1, "failed"), ("Two.test_flaky", 2, "passed")]
    assert [event["try"] for event in ready.of("started")] == [1, 2]


def test_a_second_try_starts_from_a_fresh_test(ready):
    ready.run(granted("One.test_a"), grant=1)
    ready.run(granted("One.test_a", attempt=2), grant=2)
    assert finished(ready) == [("One.test_a", 1, "passed"), ("One.test_a", 2, "passed")]


def test_a_pod_that_is_granted_nothing(ready):
    assert ready.finish()["tests"] == 0
    assert ready.ended() == 0


def test_an_empty_grant_is_done(ready):
    assert ready.run([], grant=3)["grant"] == 3


def test_a_granted_test_that_is_missing_costs_no_other(project):
    project.write("shop/tests.py", TESTS.replace("from django.contrib.contenttypes.models import ContentType", ""))
    ids = ["shop.tests.Two.test_flaky", "shop.tests.Two.test_gone"]
    with Pod(project) as pod:
        pod.hello()
        pod.assign(tests=ids)
        assert pod.one("planned")["missing"] == ids[1:]
        pod.run(tests=[{"id": id, "try": 1} for id in ids])
        pod.finish()
        assert [event["test"] for event in pod.of("finished")] == ids[:1]
        assert pod.events[-1]["type"] == "closed"
