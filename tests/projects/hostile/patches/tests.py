"""Tests that replace what others count on, and put nothing back."""

import sys
import time
import unittest

import freezegun
from django.test import SimpleTestCase


class ClockTest(SimpleTestCase):
    def test_a_sets_the_clock(self):
        time.time = lambda: 0.0

    def test_b_stops_the_clock(self):
        freezegun.freeze_time("1970-01-01").start()

    def test_c_after(self):
        self.assertEqual(1 + 1, 2)


class OutputTest(SimpleTestCase):
    def test_a_takes_the_output_away(self):
        sys.stdout = sys.stderr = None

    def test_b_after(self):
        self.assertEqual(1 + 1, 2)


class RunTest(SimpleTestCase):
    def test_a_counts_runs(self):
        run = unittest.TestCase.run

        def counted(self, result=None):
            counted.number += 1
            return run(self, result)

        counted.number = 0
        unittest.TestCase.run = counted

    def test_b_is_counted(self):
        self.assertEqual(unittest.TestCase.run.number, 1)

    def test_c_runs_nothing_any_more(self):
        unittest.TestCase.run = lambda self, result=None: None

    def test_d_is_not_run(self):
        self.fail("nobody calls this")
