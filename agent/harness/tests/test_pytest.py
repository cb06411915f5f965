"""The pytest adapter: the same verdicts as pytest itself gives, test by test, and its plugins at work."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from pod import Pod

OUTCOMES = """
    import logging, os, sys, unittest
    import pytest

    @pytest.mark.parametrize("value", [1, "a/b.c", "d::e"])
    def test_parameters(value):
        print("value", value)
        os.system("echo from a program")

    def test_failed():
        logging.getLogger("shop").warning("logged")
        assert {"a": 1} == {"a": 2}

    def test_raised():
        raise ValueError("no")

    @pytest.mark.xfail
    def test_expected():
        assert 0

    @pytest.mark.xfail
    def test_unexpected():
        pass

    @pytest.mark.xfail(strict=True)
    def test_unexpected_and_strict():
        pass

    @pytest.mark.skip(reason="no browser")
    def test_skipped():
        pass

    def test_skips_itself():
        pytest.skip("no scales")

    @pytest.fixture
    def broken():
        raise KeyError("set-up")

    def test_broken_set_up(broken):
        pass

    @pytest.fixture
    def broken_end():
        yield
        raise KeyError("tear-down")

    def test_broken_tear_down(broken_end):
        pass

    def test_broken_twice(broken_end):
        assert 0

    def test_exits():
        sys.exit(3)

    def test_subtests(subtests):
        for i in range(3):
            with subtests.test("parts", i=i):
                assert i != 1

    def test_skipped_subtests(subtests):
        with subtests.test():
            pytest.skip("not here")

    def test_captured(capfd):
        print("seen")
        assert capfd.readouterr().out == "seen\\n"

    class TestInClass:
        def test_method(self, tmp_path, monkeypatch, recwarn):
            pass

        class TestInner:
            def test_deep(self):
                pass

    class CartTest(unittest.TestCase):
        def test_subtests(self):
            for i in range(3):
                with self.subTest(i=i):
                    self.assertNotEqual(i, 1)

        @unittest.expectedFailure
        def test_expected(self):
            self.fail()

        @unittest.expectedFailure
        def test_unexpected(self):
            pass

        @unittest.skip("no")
        def test_skipped(self):
            pass

        def test_method(self):
            pass

    class BrokenTest(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            raise ValueError("no shop")

        def test_one(self):
            pass

        def test_two(self):
            pass
"""


@pytest.fixture
def shop(bare):
    (bare.root / "shop").mkdir()
    (bare.root / "tests" / "unit").mkdir(parents=True)
    bare.apps = [{"label": "shop", "path": "shop"}, {"label": "unit", "path": "tests/unit"}]
    write(bare, "pytest.ini", "[pytest]\nmarkers = slow: takes long\n    net: reaches out\n")
    return bare


def write(project, path, source):
    """Without `__init__.py`, which pytest does not need."""
    import textwrap

    (project.root / path).write_text(textwrap.dedent(source))


def run(project, app="shop", databases=None, status=0, **options):
    with Pod(project) as pod:
        pod.whole(app, databases, adapter="pytest", **options)
        assert pod.ended() == status, pod.events[-2:]
    return pod


def verdicts(pod):
    return {event["test"]: event["verdict"] for event in pod.of("finished")}


def named(pod, name):
    (event,) = [event for event in pod.of("finished") if event["test"].rpartition("::")[2] == name]
    return event


OUTCOMES_OF_SUBTESTS = {"test_skipped_subtests": "pytest.skip"}

# What pytest's report says of a test, the strongest first: a test that fails and whose tear-down fails is there twice.
KINDS = ["error", "failure", "pytest.xfail", "pytest.skip", "passed"]

# A test that passes where it must not is a failure to pytest, which has no word of its own for it in its report.
KIND_OF = {
    "error": "error",
    "failed": "failure",
    "unexpected_success": "failure",
    "expected_failure": "pytest.xfail",
    "skipped": "pytest.skip",
    "passed": "passed",
}


def serially(project, *arguments):
    """What pytest itself says of each test, as one of `KINDS`, by class name and name."""
    report = project.root.parent / "serial.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--junitxml=%s" % report, "-o", "junit_family=xunit1"]
    subprocess.run([*command, *arguments], cwd=project.root, stdout=subprocess.DEVNULL)
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        key = (case.get("classname"), case.get("name"))
        ends = [end for tag in ("error", "failure", "skipped") for end in case.iter(tag)]
        kinds = [end.get("type") if end.tag == "skipped" else end.tag for end in ends]
        found[key] = min([found.get(key, "passed"), *kinds], key=KINDS.index)
    return found


def as_junit(pod, subtests=None):
    """The same of a pod, named as pytest names tests in its own report.

    That says of a test that passed what its subtests ended in. `subtests` names such tests, with what it says.
    """
    found = {}
    for event in pod.of("finished"):
        path, _, names = event["test"].partition("::")
        inside, bracket, parameters = names.partition("[")
        *classes, name = inside.split("::")
        classname = ".".join([path[: -len(".py")].replace("/", "."), *classes])
        kind = KIND_OF[event["verdict"]]
        if kind == "passed":
            kind = (subtests or {}).get(names, kind)
        found[classname, name + bracket + parameters] = kind
    return found


def test_every_way_to_end_is_what_pytest_makes_of_it(shop):
    write(shop, "shop/test_outcomes.py", OUTCOMES)
    pod = run(shop)
    assert as_junit(pod, OUTCOMES_OF_SUBTESTS) == serially(shop)
    by_name = {test.partition("::")[2]: verdict for test, verdict in verdicts(pod).items()}
    assert by_name == {
        "test_parameters[1]": "passed",
        "test_parameters[a/b.c]": "passed",
        "test_parameters[d::e]": "passed",
        "test_failed": "failed",
        "test_raised": "failed",
        "test_expected": "expected_failure",
        "test_unexpected": "passed",
        "test_unexpected_and_strict": "unexpected_success",
        "test_skipped": "skipped",
        "test_skips_itself": "skipped",
        "test_broken_set_up": "error",
        "test_broken_tear_down": "error",
        "test_broken_twice": "error",
        "test_exits": "failed",
        "test_subtests": "failed",
        "test_skipped_subtests": "passed",
        "test_captured": "passed",
        "TestInClass::test_method": "passed",
        "TestInClass::TestInner::test_deep": "passed",
        "CartTest::test_subtests": "failed",
        "CartTest::test_expected": "expected_failure",
        "CartTest::test_unexpected": "unexpected_success",
        "CartTest::test_skipped": "skipped",
        "CartTest::test_method": "passed",
        "BrokenTest::test_one": "error",
        "BrokenTest::test_two": "error",
    }
    reasons = {event["reason"] for event in pod.of("finished") if event["verdict"] == "skipped"}
    assert reasons == {"no browser", "no scales", "no"}


def test_failures_say_what_pytest_says(shop):
    write(shop, "shop/test_outcomes.py", OUTCOMES)
    pod = run(shop)
    failed = named(pod, "test_failed")
    (failure,) = failed["failures"]
    assert (failure["kind"], failure["exception"]) == ("failure", "AssertionError")
    assert "assert {'a': 1} == {'a': 2}" in failure["message"]
    assert "shop/test_outcomes.py" in failure["traceback"] and "Differing items" in failure["traceback"]
    assert "Captured log call" in failed["output"] and "logged" in failed["output"]
    raised = named(pod, "test_raised")["failures"][0]
    assert (raised["kind"], raised["exception"], raised["message"]) == ("error", "ValueError", "no")
    twice = named(pod, "test_broken_twice")["failures"]
    assert [failure["exception"] for failure in twice] == ["AssertionError", "KeyError"]
    (subtest,) = [event for event in pod.of("finished") if event["test"].endswith("py::test_subtests")]
    assert [failure["subtest"] for failure in subtest["failures"]] == ["[parts] (i=1)"]
    assert named(pod, "test_parameters[1]")["output"] == "value 1\nfrom a program\n"


def test_the_inventory_is_what_pytest_collects(shop):
    write(
        shop,
        "tests/unit/test_marks.py",
        """
        import pytest
        pytestmark = pytest.mark.slow

        def test_plain(): pass

        class TestNet:
            pytestmark = [pytest.mark.net]

            @pytest.mark.parametrize("x", [1])
            @pytest.mark.skipif(False, reason="")
            def test_marked(self, x): pass

        def setup_module(): pass
        """,
    )
    write(shop, "tests/unit/test_broken.py", "import not_there")
    write(shop, "tests/unit/test_wrong.py", "def (")
    write(shop, "tests/unit/test_later.py", "import pytest\npytest.skip('not yet', allow_module_level=True)")
    with Pod(shop) as pod:
        pod.hello(adapter="pytest")
        inventory = pod.collect()
        pod.finish()
    # A pod's own place says nothing to whoever reads the report.
    assert str(shop) not in str(inventory["errors"]) and "'tests/unit/test_broken.py'" in str(inventory["errors"])
    classes = {found["id"]: found for found in inventory["classes"]}
    assert set(classes) == {
        "tests/unit/test_marks.py",
        "tests/unit/test_marks.py::TestNet",
        "tests/unit/test_later.py",
    }
    net = classes["tests/unit/test_marks.py::TestNet"]
    assert (net["app"], net["module"], net["line"]) == ("unit", "tests/unit/test_marks.py", 7)
    assert (net["tags"], net["whole_module"], net["databases"]) == (["net", "slow"], True, [])
    assert net["tests"] == [{"id": "tests/unit/test_marks.py::TestNet::test_marked[1]", "tags": ["skipif"]}]
    errors = {error["id"]: error["failures"][0] for error in inventory["errors"]}
    assert errors["tests/unit/test_broken.py"]["exception"] == "ModuleNotFoundError"
    assert errors["tests/unit/test_wrong.py"]["exception"] == "SyntaxError"
    pod = run(shop, "unit")
    later = [event for event in pod.of("finished") if event["test"] == "tests/unit/test_later.py"]
    assert [(event["verdict"], event["reason"]) for event in later] == [("skipped", "not yet")]


@pytest.mark.parametrize(
    "label, count",
    [
        ("shop", 26),
        ("shop/test_outcomes.py", 26),
        ("shop.test_outcomes", 26),
        ("shop/test_outcomes.py::CartTest", 5),
        ("shop.test_outcomes.CartTest", 5),
        ("shop/test_outcomes.py::TestInClass::TestInner::test_deep", 1),
        ("shop/test_outcomes.py::test_parameters[a/b.c]", 1),
    ],
)
def test_folders_files_classes_and_node_ids_can_be_named(shop, label, count):
    write(shop, "shop/test_outcomes.py", OUTCOMES)
    with Pod(shop) as pod:
        pod.hello(adapter="pytest")
        assert sum(len(found["tests"]) for found in pod.collect(label)["classes"]) == count
        pod.finish()


SCOPES = """
    import pytest

    @pytest.fixture(scope="{scope}")
    def shared():
        with open("log", "a") as log:
            log.write("+{scope} ")
        yield
        with open("log", "a") as log:
            log.write("-{scope} ")

"""


def test_shared_fixtures_live_as_long_as_they_are_of_use_across_grants(shop):
    for scope in ("session", "module"):
        source = SCOPES.format(scope=scope).replace("shared", scope + "_thing")
        write(shop, "conftest_%s.py" % scope, source)
    write(shop, "conftest.py", "from conftest_session import *\nfrom conftest_module import *\n")
    test = "def test_%s(session_thing, module_thing):\n    open('log', 'a').write('%s ')\n"
    write(shop, "shop/test_a.py", test % ("one", "a1") + test % ("two", "a2"))
    write(shop, "shop/test_b.py", test % ("one", "b1"))
    ids = ["shop/test_a.py::test_one", "shop/test_a.py::test_two", "shop/test_b.py::test_one"]
    with Pod(shop) as pod:
        pod.hello(adapter="pytest")
        pod.assign("shop")
        for number, id in enumerate(ids, 1):
            pod.run([{"id": id, "try": 1}], grant=number)
        pod.finish()
    assert set(verdicts(pod).values()) == {"passed"}
    expected = "+session +module a1 a2 -module +module b1 -module -session"
    assert (shop.root / "log").read_text().split() == expected.split()


def test_a_later_grant_may_go_back_and_run_a_test_again(shop):
    write(shop, "shop/test_a.py", "import pytest\n@pytest.fixture(scope='module')\ndef f(): yield\ndef test_a(f): pass\n")
    write(shop, "shop/test_b.py", "def test_b(): pass\n")
    with Pod(shop) as pod:
        pod.hello(adapter="pytest")
        pod.assign("shop")
        for number, (id, attempt) in enumerate(
            [("shop/test_b.py::test_b", 1), ("shop/test_a.py::test_a", 1), ("shop/test_a.py::test_a", 2)], 1
        ):
            pod.run([{"id": id, "try": attempt}], grant=number)
        pod.finish()
    assert [(event["test"][-6:], event["try"], event["verdict"]) for event in pod.of("finished")] == [
        ("test_b", 1, "passed"),
        ("test_a", 1, "passed"),
        ("test_a", 2, "passed"),
    ]


def test_what_a_shared_fixture_breaks_in_its_tear_down_is_told(shop):
    fixture = "import pytest\n@pytest.fixture(scope='module')\ndef f():\n    yield\n    raise ValueError('end')\n"
    write(shop, "shop/test_a.py", fixture + "def test_one(f): pass\ndef test_two(f): pass\n")
    write(shop, "shop/test_b.py", "def test_b(): pass\n")
    with Pod(shop) as pod:
        pod.hello(adapter="pytest")
        pod.assign("shop")
        pod.send("run", grant=1, last=True, tests=[{"id": "shop/test_a.py::test_one", "try": 1}])
        pod.until("done")
        assert named(pod, "test_one")["verdict"] == "error", "as in pytest, where it is the last test"
        pod.run([{"id": "shop/test_a.py::test_two", "try": 1}], grant=2)
        pod.run([{"id": "shop/test_a.py::test_one", "try": 2}], grant=3)
        pod.run([{"id": "shop/test_b.py::test_b", "try": 1}], grant=4)
        pod.finish()
    reds = [event for event in pod.of("fixture")] + [e for e in pod.of("finished") if e["verdict"] == "error"]
    assert len(reds) == 3, "each of the tear-downs that failed is told once"


def test_the_time_of_shared_fixtures_is_their_class_s_and_has_a_limit_of_its_own(shop):
    slow = "import pytest, time\n@pytest.fixture(scope='module')\ndef f(): time.sleep(0.7)\ndef test_a(f): time.sleep(0.6)\n"
    write(shop, "shop/test_a.py", slow)
    pod = run(shop, test_timeout=1.0)
    assert named(pod, "test_a")["verdict"] == "passed"
    assert 0.6 <= named(pod, "test_a")["seconds"] < 0.7 <= pod.one("class")["setup_seconds"]
    assert len(pod.of("started")) == 2, "the second one begins the time that counts"


def test_a_clock_that_a_shared_fixture_stops_is_its_own(shop):
    stops = "import pytest, time\n@pytest.fixture(scope='module')\ndef f(): time.monotonic = lambda: 0.0\n"
    write(shop, "shop/test_a.py", stops + "def test_a(f): pass\ndef test_b(f): pass\n")
    pod = run(shop)
    for name in ("test_a", "test_b"):
        assert named(pod, name)["verdict"] == "passed" and 0 < named(pod, name)["seconds"] < 30
    assert 0 <= pod.one("class")["setup_seconds"] < 30


def test_a_time_limit_a_crash_and_an_exit_are_told_of_the_test_that_ran(shop):
    write(shop, "shop/test_slow.py", "import time\ndef test_slow(): time.sleep(60)\n")
    pod = run(shop, status=1, test_timeout=0.5)
    assert pod.one("timed_out")["test"] == "shop/test_slow.py::test_slow"
    assert "test_slow.py" in pod.one("timed_out")["stacks"]
    write(shop, "shop/test_slow.py", "import os\ndef test_dies(): print('last words'); os._exit(0)\n")
    exited = run(shop, status=1).one("exited")
    assert (exited["running"], exited["status"]) == ("shop/test_slow.py::test_dies", 0)
    assert exited["output"] == "last words\n"
    write(shop, "shop/test_slow.py", "import pytest\ndef test_exits(): pytest.exit('enough')\ndef test_b(): pass\n")
    pod = run(shop, status=1)
    assert (named(pod, "test_exits")["verdict"], len(pod.of("finished"))) == ("error", 1)
    write(shop, "shop/test_slow.py", "def test_interrupts(): raise KeyboardInterrupt\n")
    pod = run(shop, status=1)
    assert named(pod, "test_interrupts")["verdict"] == "error" and pod.one("exited")["status"] == 130


def test_the_project_s_own_options_count_but_one_process_runs_all_tests(shop):
    write(
        shop,
        "pytest.ini",
        "[pytest]\naddopts = -n 2 --maxfail=1 -x -ra --durations=3 --strict-markers -k 'not left'\n",
    )
    tests = "import os\ndef test_a(): print(os.getpid()); assert 0\ndef test_b(): print(os.getpid()); assert 0\n"
    write(shop, "shop/test_a.py", tests + "def test_left(): pass\n")
    pod = run(shop)
    assert verdicts(pod) == {"shop/test_a.py::test_a": "failed", "shop/test_a.py::test_b": "failed"}
    assert len({event["output"] for event in pod.of("finished")}) == 1
    pod = run(shop, arguments=["-k", "left"])
    assert verdicts(pod) == {"shop/test_a.py::test_left": "passed"}, "arguments go before addopts"


def test_plugins_work_as_without_us(shop):
    write(shop, "pytest.ini", "[pytest]\naddopts = --cov=shop --cov-report=xml --junitxml=own.xml --reruns 1\n")
    write(shop, "shop/cart.py", "def add(a, b):\n    return a + b\n")
    write(shop, "shop/test_cart.py", "import cart\ntries = []\ndef test_add():\n    tries.append(1)\n    assert len(tries) == 2\n")
    pod = run(shop)
    assert named(pod, "test_add")["verdict"] == "passed", "pytest-rerunfailures ran it again"
    assert (shop.root / "coverage.xml").exists()
    assert ElementTree.parse(shop.root / "own.xml").find(".//testcase").get("name") == "test_add"


def test_each_folder_has_its_own_conftest(shop):
    for folder, value in (("shop", "one"), ("tests/unit", "two")):
        write(shop, folder + "/conftest.py", "import pytest\n@pytest.fixture\ndef thing(): return %r\n" % value)
        write(shop, folder + "/test_%s.py" % value, "def test_thing(thing): assert thing == %r\n" % value)
    assert set(verdicts(run(shop)).values()) == set(verdicts(run(shop, "unit")).values()) == {"passed"}


def test_ids_count_from_the_project_s_root_and_begin_with_the_suite_s_prefix(shop):
    (shop.root / "pytest.ini").unlink()
    write(shop, "shop/pytest.ini", "[pytest]\n")
    write(shop, "shop/test_a.py", "def test_a(): pass\n")
    assert list(verdicts(run(shop, path="shop"))) == ["shop/test_a.py::test_a"]
    assert list(verdicts(run(shop, path="shop", prefix="old:"))) == ["old:shop/test_a.py::test_a"]


def test_settings_that_pytest_cannot_use_are_said(shop):
    write(shop, "pytest.ini", "[pytest]\naddopts = --no-such-option\n")
    with Pod(shop) as pod:
        pod.hello(adapter="pytest")
        failed = pod.one("failed")
    assert failed["phase"] == "boot"
    assert "exit code 4" in failed["failures"][0]["message"] and "--no-such-option" in failed["output"]


def test_a_conftest_that_raises_is_said(shop):
    write(shop, "conftest.py", "raise ValueError('no shop')\n")
    with Pod(shop) as pod:
        pod.hello(adapter="pytest")
        failed = pod.one("failed")
    assert failed["phase"] == "boot" and "no shop" in failed["output"]


def test_pytest_that_is_not_installed_is_said(shop):
    write(shop, "pytest.py", "raise ImportError('hidden')\n")
    with Pod(shop) as pod:
        pod.hello(adapter="pytest")
        failed = pod.one("failed")
    assert "has to be among what is installed" in failed["failures"][0]["message"]


def test_a_label_that_names_nothing_is_said(shop):
    write(shop, "shop/test_a.py", "def test_a(): pass\n")
    with Pod(shop) as pod:
        pod.hello(adapter="pytest")
        pod.send("collect", labels=["shop/test_a.py::test_b"])
        failed = pod.until("failed")
    assert failed["phase"] == "collect" and "test_b" in failed["failures"][0]["message"]
