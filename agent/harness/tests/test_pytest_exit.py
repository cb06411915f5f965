"""Plugins that make pytest's exit status another one than its tests do: red for a whole suite, a warning for a part."""

import subprocess
import sys

import pytest
from pod import Pod
from test_pytest import run, write

CART = "def add(a, b):\n    return a + b\n\ndef remove():\n    a = 1\n    b = 2\n    return a + b\n"
TESTS = "import cart\ndef test_add(): assert cart.add(1, 2) == 3\ndef test_sum(): assert cart.add(2, 2) == 4\n"

FINISHING = """
    import pytest

    def pytest_sessionfinish(session, exitstatus):
        session.exitstatus = 7
"""


@pytest.fixture
def shop(bare):
    """One app whose tests are all of the suite."""
    (bare.root / "shop").mkdir()
    bare.apps = [{"label": "shop", "path": "shop"}]
    write(bare, "pytest.ini", "[pytest]\naddopts = --cov=shop --cov-fail-under=90\n")
    write(bare, "shop/cart.py", CART)
    write(bare, "shop/test_cart.py", TESTS)
    return bare


def status_of_pytest(project):
    """Of pytest by itself."""
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=project.root, stdout=subprocess.DEVNULL).returncode


def red(pod):
    """Results that are no test's, and that nothing is warned of."""
    assert pod.of("warnings") == []
    return pod.of("fixture")


def warned(pod):
    """What is warned of, and that nothing is red."""
    assert pod.of("fixture") == []
    return [warning["message"] for event in pod.of("warnings") for warning in event["warnings"]]


def test_a_threshold_that_the_whole_suite_misses_is_red_by_the_name_of_its_plugin(shop):
    assert status_of_pytest(shop) == 1
    (fixture,) = red(run(shop, prefix="unit/"))
    assert (fixture["id"], fixture["verdict"]) == ("unit/exit status of pytest: pytest-cov", "failed")
    assert (fixture["class"], fixture["tests"]) == (None, [])
    (failure,) = fixture["failures"]
    assert failure["message"] == "pytest-cov has pytest end with exit status 1, although no test is red"
    assert "total of 67 is less than fail-under=90" in failure["traceback"]


def test_a_threshold_that_is_reached_is_nothing(shop):
    write(shop, "shop/cart.py", CART.partition("\n\n")[0] + "\n")
    assert status_of_pytest(shop) == 0
    assert red(run(shop)) == []


def test_a_status_that_a_conftest_sets_at_the_end_is_red_as_well(shop):
    write(shop, "pytest.ini", "[pytest]\n")
    write(shop, "conftest.py", FINISHING)
    assert status_of_pytest(shop) == 7
    (fixture,) = red(run(shop))
    assert fixture["id"] == "exit status of pytest: conftest"
    assert "exit status 7" in fixture["failures"][0]["message"]


def test_of_two_pods_each_can_only_warn(shop):
    (shop.root / "blog").mkdir()
    write(shop, "blog/test_blog.py", "def test_it(): pass\n")
    shop.apps.append({"label": "blog", "path": "blog"})
    (message,) = warned(run(shop, "blog"))
    assert message.startswith("exit status 1 of pytest-cov makes nothing red: ")
    assert "one pod and not the whole suite" in message and "fail-under=90" in message
    assert len(warned(run(shop, "shop"))) == 1, "there are files that it has not seen"


def test_a_pod_that_ran_some_of_the_tests_can_only_warn(shop):
    ids = ["shop/test_cart.py::test_add"]
    with Pod(shop) as selected, Pod(shop) as granted:
        selected.hello(adapter="pytest")
        selected.assign(labels=["shop"], tests=ids)
        selected.run()
        granted.hello(adapter="pytest")
        granted.assign(labels=["shop"])
        granted.run([{"id": ids[0], "try": 1}])
        for pod in (selected, granted):
            pod.finish()
            assert len(warned(pod)) == 1


def test_where_tests_are_red_they_say_it(shop):
    write(shop, "shop/test_cart.py", TESTS.replace("== 3", "== 4"))
    assert red(run(shop)) == []
    write(shop, "shop/test_cart.py", "import cart\nassert 0\n" + TESTS)
    assert red(run(shop)) == [], "a file that cannot be collected"
    broken = "import pytest\n@pytest.fixture\ndef broken(): 1 / 0\n"
    write(shop, "shop/test_cart.py", TESTS.replace("():", "(broken):") + broken)
    assert red(run(shop)) == []


def test_a_test_that_passes_in_its_second_try_is_no_plugin_s_doing(shop):
    write(shop, "pytest.ini", "[pytest]\n")
    tests = "tries = []\ndef test_flaky():\n    tries.append(1)\n    assert len(tries) == 2\n"
    write(shop, "shop/test_cart.py", tests)
    with Pod(shop) as pod:
        pod.hello(adapter="pytest")
        pod.assign()
        for attempt in (1, 2):
            pod.run([{"id": "shop/test_cart.py::test_flaky", "try": attempt}], grant=attempt)
        pod.finish()
        assert [event["verdict"] for event in pod.of("finished")] == ["failed", "passed"]
        assert red(pod) == []


@pytest.mark.parametrize("source", ["", "import pytest\npytest.skip('no', allow_module_level=True)\n"])
def test_a_pod_without_tests_says_nothing(shop, source):
    write(shop, "pytest.ini", "[pytest]\n")
    write(shop, "shop/test_cart.py", source)
    assert red(run(shop)) == []
