"""The unittest adapter: plain projects, discovered and run as `python -m unittest discover` does it."""

import pytest
from pod import Pod

CART = """
    import unittest

    def setUpModule():
        print("module is set up")

    class CartTest(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            print("class is set up")

        def test_add(self):
            self.assertEqual(1 + 1, 2)

        def test_remove(self):
            self.assertEqual(1 + 1, 3)

        def test_parts(self):
            for i in range(3):
                with self.subTest(i=i):
                    self.assertNotEqual(i, 1)

        @unittest.skip("no scales")
        def test_weigh(self):
            pass

        @unittest.expectedFailure
        def test_pay(self):
            self.fail()

    class BrokenTest(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            raise ValueError("no shop")

        def test_never(self):
            pass
"""

APPS = [{"label": "shop", "path": "shop"}, {"label": "pages", "path": "pages"}]


@pytest.fixture
def plain(bare):
    bare.apps = APPS
    bare.write("shop/tests/test_cart.py", CART)
    bare.write("shop/tests/test_gone.py", "import not_there")
    bare.write("pages/test_home.py", "import unittest\nclass HomeTest(unittest.TestCase):\n    def test(self): pass")
    bare.write("shop/__init__.py", "")
    return bare


def test_a_project_without_django_is_run_as_unittest_would(plain):
    with Pod(plain) as pod:
        pod.whole(adapter="unittest")
        assert pod.ended() == 0
    assert pod.one("booted")["django"] == ""
    assert pod.one("booted")["runner"] == "unittest.runner.TextTestRunner"
    assert pod.one("ready")["databases"] == []
    verdicts = {event["test"].rpartition(".")[2]: event["verdict"] for event in pod.of("finished")}
    assert verdicts == {
        "test_add": "passed",
        "test_parts": "failed",
        "test_pay": "expected_failure",
        "test_remove": "failed",
        "test_weigh": "skipped",
    }
    fixture = pod.one("fixture")
    assert fixture["id"] == "setUpClass (shop.tests.test_cart.BrokenTest)"
    assert fixture["tests"] == ["shop.tests.test_cart.BrokenTest.test_never"]
    assert "class is set up" in "".join(event["output"] for event in pod.of("class"))


def test_everything_is_found_and_modules_with_fixtures_stay_whole(plain):
    with Pod(plain) as pod:
        pod.hello(adapter="unittest")
        inventory = pod.collect()
        pod.finish()
    classes = {found["id"]: found for found in inventory["classes"]}
    assert set(classes) == {
        "pages.test_home.HomeTest",
        "shop.tests.test_cart.BrokenTest",
        "shop.tests.test_cart.CartTest",
    }
    assert classes["pages.test_home.HomeTest"]["app"] == "pages"
    assert classes["shop.tests.test_cart.CartTest"]["whole_module"]
    (error,) = inventory["errors"]
    assert error["id"] == "unittest.loader._FailedTest.shop.tests.test_gone"


@pytest.mark.parametrize(
    "label, count",
    [
        ("shop", 6),
        ("shop.tests.test_cart", 6),
        ("shop.tests.test_cart.CartTest", 5),
        ("shop.tests.test_cart.CartTest.test_add", 1),
    ],
)
def test_packages_modules_classes_and_methods_can_be_named(plain, label, count):
    with Pod(plain) as pod:
        pod.hello(adapter="unittest")
        assert sum(len(found["tests"]) for found in pod.collect(label)["classes"]) == count
        pod.finish()


def test_load_tests_is_asked(bare):
    bare.write(
        "test_made.py",
        """
        import unittest

        class Made(unittest.TestCase):
            def check(self):
                pass

        def load_tests(loader, tests, pattern):
            return unittest.TestSuite([Made("check")])
        """,
    )
    with Pod(bare) as pod:
        pod.whole("(other)", adapter="unittest")
    assert pod.one("finished")["test"] == "test_made.Made.check"


def test_arguments_of_discover_are_understood(bare):
    (bare.root / "checks").mkdir()
    (bare.root / "checks" / "cart_check.py").write_text(
        "import unittest\nclass A(unittest.TestCase):\n    def test(self): pass\n"
    )
    with Pod(bare) as pod:
        pod.whole("(other)", adapter="unittest", arguments=["-s", "checks", "-p", "*_check.py"])
    assert pod.one("finished")["test"] == "cart_check.A.test"
    with Pod(bare) as pod:
        pod.hello(adapter="unittest", arguments=["--locals"])
    assert "-s, -p and -t" in pod.one("failed")["failures"][0]["message"]


def test_ids_of_one_suite_can_be_told_from_those_of_another(plain):
    with Pod(plain) as pod:
        pod.whole("pages", adapter="unittest", prefix="old:")
    assert pod.one("finished")["test"] == "old:pages.test_home.HomeTest.test"


def test_a_time_limit_holds_and_output_is_captured(bare):
    bare.write(
        "test_slow.py",
        """
        import os, time, unittest

        class A(unittest.TestCase):
            def test_a(self):
                os.system("echo from a program")

            def test_b(self):
                time.sleep(60)
        """,
    )
    with Pod(bare) as pod:
        pod.whole("(other)", adapter="unittest", test_timeout=1.0)
        assert pod.ended() == 1
    assert pod.finished("test_a")["output"] == "from a program\n"
    timed_out = pod.one("timed_out")
    assert timed_out["test"] == "test_slow.A.test_b" and "time.sleep" not in timed_out["output"]
    assert "test_slow.py" in timed_out["stacks"]
