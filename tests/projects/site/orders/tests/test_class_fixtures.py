"""Class fixtures that break. Red on purpose."""

from unittest import TestCase as PlainTestCase

from django.test import SimpleTestCase, TestCase, TransactionTestCase


class SetUpClassErrorTest(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        raise RuntimeError("the payment service did not start")

    def test_first(self):
        self.fail("ran without its fixture")

    def test_second(self):
        self.fail("ran without its fixture")


class SetUpTestDataErrorTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        raise LookupError("no such tariff")

    def test_never_runs(self):
        self.fail("ran without its data")


class SetUpClassFailureTest(PlainTestCase):
    @classmethod
    def setUpClass(cls):
        raise AssertionError("an assertion in a fixture counts as an error")

    def test_never_runs(self):
        self.fail("ran without its fixture")


class MissingFixtureTest(TransactionTestCase):
    fixtures = ["no-such-tariff"]

    def test_first(self):
        self.fail("ran without its fixture")

    def test_second(self):
        self.fail("ran without its fixture")


class TearDownClassErrorTest(SimpleTestCase):
    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        raise RuntimeError("the payment service did not stop")

    def test_passes(self):
        self.assertTrue(True)

    def test_passes_too(self):
        self.assertTrue(True)


class ClassCleanupErrorTest(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(cls.forget)

    @staticmethod
    def forget():
        raise RuntimeError("the payment service forgot nothing")

    def test_passes(self):
        self.assertTrue(True)
