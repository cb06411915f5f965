"""Subtests, which pytest has had since version 9 and a plugin before that: red where pytest itself reports a failure."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest
from test_pytest import OUTCOMES, OUTCOMES_OF_SUBTESTS, as_junit, run, serially, shop, verdicts, write  # noqa: F401

HERE = pathlib.Path(__file__).resolve().parent
PLACE = HERE.parents[2] / "target" / "tmp"

TESTS = """
    import unittest
    import pytest

    def test_fail(subtests):
        for i in range(2):
            with subtests.test(i=i):
                assert 0

    def test_raises(subtests):
        with subtests.test("raising"):
            raise ValueError("no")

    def test_passes(subtests):
        with subtests.test():
            pass

    def test_body_fails_too(subtests):
        with subtests.test("one"):
            assert 0
        assert 0, "body"

    def test_body_fails_alone(subtests):
        with subtests.test("one"):
            pass
        assert 0, "body"

    def test_skips(subtests):
        with subtests.test():
            pytest.skip("not here")
        with subtests.test():
            pass

    def test_skips_and_fails(subtests):
        with subtests.test():
            pytest.skip("not here")
        with subtests.test():
            assert 0

    def test_skips_itself_in_the_end(subtests):
        with subtests.test():
            pass
        pytest.skip("later")

    def test_known_inside(subtests):
        with subtests.test():
            pytest.xfail("known")

    @pytest.mark.xfail
    def test_known(subtests):
        with subtests.test():
            assert 0

    @pytest.mark.xfail
    def test_known_body(subtests):
        with subtests.test():
            pass
        assert 0

    def test_nested(subtests):
        with subtests.test(a=1):
            with subtests.test(b=2):
                assert 0

    class CartTest(unittest.TestCase):
        def test_fail(self):
            with self.subTest(i=1):
                self.fail()
            with self.subTest(i=2):
                pass

        def test_skips(self):
            with self.subTest(i=1):
                self.skipTest("no")
            with self.subTest(i=2):
                pass

        def test_skips_and_fails(self):
            with self.subTest(i=1):
                self.skipTest("no")
            with self.subTest(i=2):
                self.fail()

        @unittest.expectedFailure
        def test_known(self):
            with self.subTest(i=1):
                self.fail()
"""

RED = {
    "test_fail": ["(i=0)", "(i=1)"],
    "test_raises": ["[raising]"],
    "test_body_fails_too": ["[one]", None],
    "test_body_fails_alone": [None],
    "test_skips_and_fails": ["(<subtest>)"],
    "test_nested": ["(b=2)"],
    "CartTest::test_fail": ["(i=1)"],
    "CartTest::test_skips_and_fails": ["(i=2)"],
}


def installed(requirements):
    """A folder that holds these packages, made once and by nobody else at the same time."""
    place = PLACE / ("pytest-older-%d.%d" % sys.version_info[:2])
    wanted = requirements.read_text()
    if not place.exists() or (place / "installed.txt").read_text() != wanted:
        PLACE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=str(PLACE)) as folder:
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*command, "--target", folder, "-r", str(requirements)], check=True)
            pathlib.Path(folder, "installed.txt").write_text(wanted)
            shutil.rmtree(str(place), ignore_errors=True)
            shutil.copytree(folder, str(place))
    return str(place)


# Under an old Python there is the plugin only, and it is among what is installed.
IS_BUILT_IN = int(pytest.__version__.partition(".")[0]) >= 9


# The last plugin for Python 3.8 hears nothing of what follows in a unittest once a subtest has skipped.
IS_OLDEST = sys.version_info < (3, 9)


# Tests that pass, with what pytest's report says of them because their subtests skip or fail as they are known to.
SUBTESTS = {
    "test_skips": "pytest.skip",
    "test_known_inside": "pytest.xfail",
    "test_known": "pytest.xfail",
    "CartTest::test_skips": "pytest.skip",
}
if IS_OLDEST:
    SUBTESTS["CartTest::test_skips_and_fails"] = "pytest.skip"


@pytest.fixture(params=["built in", "pytest-subtests"] if IS_BUILT_IN else ["pytest-subtests"])
def version(request, monkeypatch):
    if request.param == "pytest-subtests" and IS_BUILT_IN:
        path = [installed(HERE / "older.txt"), os.environ.get("PYTHONPATH", "")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
    return request.param


def runner(pod):
    return pod.one("booted")["runner"]


def test_verdicts_are_those_of_pytest(shop, version):  # noqa: F811
    write(shop, "shop/test_parts.py", TESTS)
    pod = run(shop)
    assert runner(pod).startswith("pytest 8" if version == "pytest-subtests" else "pytest 9")
    assert as_junit(pod, SUBTESTS) == serially(shop, "-n0")
    red = {event["test"].partition("::")[2]: event for event in pod.of("finished") if event["failures"]}
    failures = {name: [one["subtest"] for one in event["failures"]] for name, event in red.items()}
    if IS_OLDEST:
        failures.setdefault("CartTest::test_skips_and_fails", RED["CartTest::test_skips_and_fails"])
    assert failures == RED
    assert {event["verdict"] for event in red.values()} == {"failed"}
    others = {test.partition("::")[2]: verdict for test, verdict in verdicts(pod).items()}
    assert {name: verdict for name, verdict in others.items() if name not in RED} == {
        "test_passes": "passed",
        "test_skips": "passed",
        "test_skips_itself_in_the_end": "skipped",
        "test_known_inside": "passed",
        "test_known": "passed",
        "test_known_body": "expected_failure",
        "CartTest::test_skips": "skipped" if IS_OLDEST else "passed",
        "CartTest::test_known": "expected_failure",
    }


def test_everything_else_is_as_pytest_has_it_too(shop, version):  # noqa: F811
    write(shop, "shop/test_outcomes.py", OUTCOMES)
    assert as_junit(run(shop), OUTCOMES_OF_SUBTESTS) == serially(shop, "-n0")
