"""A module whose fixture skips: its tests never start."""

import unittest

from django.test import SimpleTestCase


def setUpModule():
    raise unittest.SkipTest("in setUpModule")


class FirstTest(SimpleTestCase):
    def test_one(self):
        self.fail("ran although skipped")

    def test_two(self):
        self.fail("ran although skipped")


class SecondTest(unittest.TestCase):
    def test_three(self):
        self.fail("ran although skipped")
