"""A module fixture that breaks: none of the module's tests run. Red on purpose."""

from django.test import SimpleTestCase, TestCase


def setUpModule():
    raise ConnectionError("the sandbox does not answer")


class SandboxTest(TestCase):
    def test_never_runs(self):
        self.fail("ran without its fixture")


class SandboxTextTest(SimpleTestCase):
    def test_never_runs(self):
        self.fail("ran without its fixture")

    def test_never_runs_either(self):
        self.fail("ran without its fixture")
