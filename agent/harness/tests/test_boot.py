"""From `hello` to `ready` and from `finish` to `closed`, and all that can fail on the way."""

import pytest
from pod import Pod

TESTS = """
    from django.test import TestCase

    class Cart(TestCase):
        def test_one(self):
            pass
"""

RUNNER = """
    import sys
    from django.test.runner import DiscoverRunner

    class Runner(DiscoverRunner):
        %s
"""


@pytest.fixture(autouse=True)
def one_test(project):
    project.write("shop/tests.py", TESTS)


def use_runner(project, body):
    project.write("conf/runner.py", RUNNER % body)
    project.append("conf/settings.py", 'TEST_RUNNER = "conf.runner.Runner"\n')


def failed(project, phase, **options):
    """The one failure of a pod that fails in `phase`, and the whole event."""
    with Pod(project) as pod:
        pod.whole(**options)
        event, exited = pod.events[-2:]
        assert (event["type"], event["phase"]) == ("failed", phase)
        assert (exited["type"], exited["status"], exited["running"]) == ("exited", 1, None)
        assert pod.ended() == 1
    (failure,) = event["failures"]
    return failure, event


def test_a_pod_that_is_fine(project):
    with Pod(project) as pod:
        booted = pod.hello()
        assert booted["protocol"] == 1
        assert booted["django"].count(".") >= 1 and booted["python"].startswith("3.")
        assert booted["runner"] == "django.test.runner.DiscoverRunner"
        assert booted["seconds"] > 0
        ready = pod.assign()
        (database,) = ready["databases"]
        assert (database["alias"], database["vendor"]) == ("default", "sqlite")
        assert 0 < database["seconds"] <= ready["seconds"]
        assert "Creating test database for alias 'default'" in ready["output"]
        assert pod.run(grant=4)["grant"] == 4
        assert pod.finish()["tests"] == 1
        assert pod.ended() == 0


def test_booted_comes_before_any_test_module_is_imported(project):
    project.write("shop/tests.py", "raise SystemExit('imported')\n")
    with Pod(project) as pod:
        pod.hello()
        (error,) = pod.collect()["errors"]
        assert error["failures"][0]["exception"] == "SystemExit"


def test_settings_that_raise(project):
    project.append("conf/settings.py", 'raise RuntimeError("no SECRET in the environment")\n')
    failure, _ = failed(project, "boot")
    assert (failure["exception"], failure["message"]) == ("RuntimeError", "no SECRET in the environment")
    assert 'File "conf/settings.py", line' in failure["traceback"]


def test_settings_that_cannot_be_imported(project):
    failure, _ = failed(project, "boot", settings="conf.nowhere")
    assert failure["exception"] == "ModuleNotFoundError"


def test_settings_given_by_name(project):
    project.write("conf/other.py", "from .settings import *\nprint('other settings')\n")
    with Pod(project) as pod:
        pod.hello(settings="conf.other")
        assert "other settings" in pod.assign()["output"]


def test_a_manage_py_that_raises(project):
    project.write("manage.py", "print('hello from manage')\n1 / 0\n")
    failure, event = failed(project, "boot")
    assert failure["exception"] == "ZeroDivisionError"
    assert event["output"] == "hello from manage\n"


def test_a_manage_py_that_does_nothing(project):
    project.write("manage.py", "")
    failure, _ = failed(project, "boot")
    assert failure["message"].startswith("the project's `test` command ended in phase boot")


def test_a_manage_py_in_a_folder_runs_there(project, tmp_path):
    (tmp_path / "site").mkdir()
    for name in ("manage.py", "conf", "shop"):
        (tmp_path / name).rename(tmp_path / "site" / name)
    project.apps = [{"label": "shop", "path": "site/shop"}]
    with Pod(project) as pod:
        pod.whole(manage="site/manage.py")
        (found,) = pod.one("planned")["inventory"]["classes"]
        assert (found["id"], found["file"]) == ("shop.tests.Cart", "site/shop/tests.py")
        assert pod.verdicts() == {"shop.tests.Cart.test_one".rpartition(".tests.")[2]: "passed"}


def test_without_a_manage_py(project):
    (project.root / "manage.py").unlink()
    with Pod(project) as pod:
        pod.whole(manage=None, settings="conf.settings")
        assert pod.verdicts() == {"Cart.test_one": "passed"}


def test_files_of_the_project_do_not_shadow_what_the_harness_imports(project):
    for module in ("tempfile", "select", "json", "fcntl"):
        (project.root / (module + ".py")).write_text("raise RuntimeError('shadowed')\n")
    with Pod(project) as pod:
        assert pod.hello()["type"] == "booted"


def test_system_checks_that_fail(project):
    project.write(
        "shop/models.py",
        """
        from django.core.checks import Error, register

        @register()
        def broken(app_configs, **kwargs):
            return [Error("the shop is closed", id="shop.E001")]
        """,
    )
    failure, _ = failed(project, "checks")
    assert failure["exception"].endswith("SystemCheckError")
    assert "(shop.E001) the shop is closed" in failure["message"]
    with Pod(project) as pod:
        assert pod.whole(checks=False).events[-1]["type"] == "closed"


def test_databases_that_cannot_be_set_up(project):
    use_runner(project, "def setup_databases(self, **kwargs): raise OSError('no server')")
    failure, _ = failed(project, "databases")
    assert (failure["exception"], failure["message"]) == ("OSError", "no server")


def test_a_database_set_up_that_exits(project):
    use_runner(project, "def setup_databases(self, **kwargs): print('gave up'); sys.exit(2)")
    failure, event = failed(project, "databases")
    assert (failure["exception"], failure["message"]) == ("SystemExit", "2")
    assert "gave up" in event["output"]


def test_a_teardown_that_fails(project):
    use_runner(project, "def teardown_databases(self, *args, **kwargs): raise OSError('still in use')")
    failure, _ = failed(project, "teardown")
    assert failure["message"] == "still in use"


def test_a_teardown_that_exits(project):
    use_runner(project, "def teardown_databases(self, *args, **kwargs): sys.exit(0)")
    failure, _ = failed(project, "teardown")
    assert failure["exception"] == "SystemExit"


def test_a_runner_that_fails_while_it_collects(project):
    use_runner(project, "def build_suite(self, *args, **kwargs): raise ValueError('bad label')")
    failure, _ = failed(project, "collect")
    assert failure["message"] == "bad label"


@pytest.mark.parametrize(
    "line, phrase",
    [
        ("{", "a line is not a command: b'{'"),
        ("[]", "a line is not a command: b'[]'"),
        ('{"type": "dance"}', "'dance' is not understood before `assign`"),
        ('{"type": "run", "grant": 1, "tests": null}', "'run' is not understood before `assign`"),
        ('{"type": "collect"}', "command 'collect' has no 'labels'"),
    ],
)
def test_a_command_that_is_not_understood(pod, line, phrase):
    pod.hello()
    pod.send_line(line)
    assert pod.until("failed")["failures"][0]["message"] == phrase
    assert pod.until("exited")["status"] == 1


@pytest.mark.parametrize("options", [{"protocol": 2}, {"adapter": "nose"}])
def test_a_hello_that_is_not_understood(pod, options):
    assert pod.hello(**options) is None
    assert pod.one("failed")["failures"][0]["exception"].endswith("ProtocolError")


def test_a_grant_of_what_was_not_planned(project):
    with Pod(project) as pod:
        pod.hello()
        pod.assign()
        assert pod.run(tests=[{"id": "shop.tests.Cart.test_two", "try": 1}]) is None
        (failure,) = pod.one("failed")["failures"]
        assert failure["message"] == "test shop.tests.Cart.test_two is granted but was not planned"
