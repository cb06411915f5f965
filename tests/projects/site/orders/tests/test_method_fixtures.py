"""Errors around the body of a test: before it, after it, and in several places at once. Red on purpose."""

import unittest

from django.test import Client, SimpleTestCase, TestCase

from orders.models import Order


class BrokenClient(Client):
    def __init__(self, *args, **kwargs):
        raise ConnectionError("no till is open")


class BrokenClientTest(SimpleTestCase):
    """Django makes the client before a test has started: each test is an error that never started."""

    client_class = BrokenClient

    def test_never_reached(self):
        self.fail("ran without its client")

    def test_never_reached_either(self):
        self.fail("ran without its client")


class SetUpErrorTest(SimpleTestCase):
    def setUp(self):
        raise RuntimeError("in setUp")

    def test_never_reached(self):
        self.fail("ran although setUp broke")


class SetUpFailureTest(SimpleTestCase):
    def setUp(self):
        self.fail("an assertion in setUp is a failure")

    def test_never_reached(self):
        raise RuntimeError("ran although setUp failed")


class TearDownErrorTest(SimpleTestCase):
    def tearDown(self):
        raise RuntimeError("in tearDown")

    def test_body_passes(self):
        self.assertTrue(True)

    def test_body_fails(self):
        self.fail("in the body")

    def test_body_errors(self):
        raise LookupError("in the body")

    def test_body_skips(self):
        self.skipTest("in the body")

    @unittest.expectedFailure
    def test_body_fails_as_expected(self):
        self.fail("in the body")


class TearDownFailureTest(SimpleTestCase):
    def tearDown(self):
        self.fail("an assertion in tearDown is a failure")

    def test_body_passes(self):
        self.assertTrue(True)


class CleanupErrorTest(SimpleTestCase):
    def test_two_cleanups_break(self):
        self.addCleanup(self.fail, "an assertion in a cleanup is a failure")
        self.addCleanup({}.__getitem__, "missing in a cleanup")


class DanglingRowTest(TestCase):
    def test_found_out_after_the_test(self):
        """Django checks foreign keys after the test has stopped: it has passed by then, and is an error all the same."""
        Order.objects.create(user_id=4711, cents=1)

    def test_class_mate(self):
        self.assertFalse(Order.objects.exists())
