"""Every way of skipping, each green."""

import unittest

from django.test import SimpleTestCase, TestCase, skipIfDBFeature, skipUnlessAnyDBFeature, skipUnlessDBFeature


class MethodSkipTest(TestCase):
    @unittest.skip("by the decorator of a method")
    def test_decorator(self):
        self.fail("ran although skipped")

    @unittest.skipIf(True, "by a condition that holds")
    def test_skip_if(self):
        self.fail("ran although skipped")

    @unittest.skipUnless(False, "by a condition that does not hold")
    def test_skip_unless(self):
        self.fail("ran although skipped")

    @unittest.skipIf(False, "never shown")
    def test_condition_does_not_hold(self):
        self.assertTrue(True)

    @skipUnlessDBFeature("has_select_for_update_skip_locked")
    def test_feature_is_missing(self):
        self.fail("SQLite locks no rows")

    @skipIfDBFeature("supports_transactions")
    def test_feature_is_there(self):
        self.fail("SQLite has transactions")

    @skipUnlessAnyDBFeature("supports_transactions", "has_select_for_update_skip_locked")
    def test_one_feature_suffices(self):
        self.assertTrue(True)

    def test_body(self):
        self.skipTest("in the body, with <markup> & an \N{EN DASH}")

    def test_raised(self):
        raise unittest.SkipTest("by raising SkipTest")

    @unittest.skip("")
    def test_without_reason(self):
        self.fail("ran although skipped")


class SetUpSkipTest(TestCase):
    def setUp(self):
        if self._testMethodName == "test_skipped":
            self.skipTest("in setUp")

    def test_skipped(self):
        self.fail("ran although skipped")

    def test_runs(self):
        self.assertTrue(True)


@unittest.skip("by the decorator of the class")
class DecoratedSkipTest(TestCase):
    def test_first(self):
        self.fail("ran although skipped")

    def test_second(self):
        self.fail("ran although skipped")


@skipUnlessDBFeature("has_select_for_update_skip_locked")
class FeatureSkipTest(TestCase):
    def test_first(self):
        self.fail("ran although skipped")


class ClassFixtureSkipTest(TestCase):
    @classmethod
    def setUpClass(cls):
        raise unittest.SkipTest("in setUpClass")

    def test_first(self):
        self.fail("ran although skipped")

    def test_second(self):
        self.fail("ran although skipped")


class ClassDataSkipTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        raise unittest.SkipTest("in setUpTestData")

    def test_first(self):
        self.fail("ran although skipped")


class SubtestSkipTest(SimpleTestCase):
    def test_some(self):
        for number in range(3):
            with self.subTest(number=number):
                if number == 1:
                    self.skipTest("one of three")

    def test_all(self):
        for number in range(2):
            with self.subTest(number=number):
                self.skipTest("each of them")


class ExpectedFailureTest(SimpleTestCase):
    @unittest.expectedFailure
    def test_known_bug(self):
        self.assertEqual(round(2.675, 2), 2.68)

    @unittest.expectedFailure
    def test_known_error(self):
        {}["missing"]

    @unittest.expectedFailure
    def test_skipped_before_it_could_fail(self):
        self.skipTest("in a test that should fail")


@unittest.expectedFailure
class ExpectedFailureClassTest(SimpleTestCase):
    def test_whole_class(self):
        self.fail("expected of each")
