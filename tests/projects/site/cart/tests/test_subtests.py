"""Subtests of every outcome, mixed within one test. Red on purpose."""

import unittest

from django.test import SimpleTestCase

from cart.totals import discount


class SubtestTest(SimpleTestCase):
    def test_all_pass(self):
        for cents in (0, 1, 99_99):
            with self.subTest(cents=cents):
                self.assertEqual(discount(cents), 0)

    def test_two_of_four_fail(self):
        for cents in (0, 100_00, 50_00, 200_00):
            with self.subTest("no discount", cents=cents):
                self.assertEqual(discount(cents), 0)

    def test_one_errors(self):
        for cents in (0, None, 1):
            with self.subTest(cents=cents):
                self.assertEqual(discount(cents), 0)

    def test_failure_error_and_skip(self):
        with self.subTest("fails"):
            self.assertEqual(discount(100_00), 0)
        with self.subTest("errors"):
            discount("a lot")
        with self.subTest("skips"):
            self.skipTest("the third")

    def test_failure_and_skip(self):
        with self.subTest("skips"):
            self.skipTest("the first")
        with self.subTest("fails"):
            self.assertEqual(discount(100_00), 0)

    def test_nested(self):
        for member in ("ada", "grace"):
            with self.subTest(member=member):
                for cents in (1, 100_00):
                    with self.subTest(cents=cents):
                        self.assertEqual(discount(cents), 0)

    def test_fails_after_its_subtests(self):
        with self.subTest("passes"):
            self.assertEqual(discount(0), 0)
        self.fail("in the body, after the subtests")

    def test_skipped_after_a_failing_subtest(self):
        with self.subTest("fails"):
            self.assertEqual(discount(100_00), 0)
        self.skipTest("in the body, after a failure")

    @unittest.expectedFailure
    def test_expected_in_a_subtest(self):
        with self.subTest("fails as expected"):
            self.assertEqual(discount(100_00), 0)
