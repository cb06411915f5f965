"""One test of each plain outcome, and of those that are hard to write down. Red on purpose."""

import sys
import unittest

from django.test import SimpleTestCase, TestCase

from blog.models import Article
from reports.models import Entry


class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no text for this exception")


class OutcomeTest(TestCase):
    def test_passes(self):
        self.assertFalse(Article.objects.exists())

    def test_fails(self):
        """Fails with a diff of several lines."""
        self.assertEqual(
            {"title": "Mules", "tags": ["animal", "strong"]}, {"title": "Mules", "tags": ["animal", "stubborn"]}
        )

    def test_errors(self):
        Article.objects.get(slug="no-such-article")

    def test_errors_with_a_cause(self):
        try:
            int("twelve")
        except ValueError as error:
            raise RuntimeError("cannot read the number of comments") from error

    def test_asserts(self):
        assert not Article.objects.exists()
        assert Article.objects.exists(), "a bare assert is a failure"

    def test_exits(self):
        """`SystemExit` is an error of this test alone."""
        sys.exit(0)

    @unittest.expectedFailure
    def test_unexpected_success(self):
        self.assertTrue(True)

    @unittest.expectedFailure
    def test_expected_failure(self):
        self.assertTrue(Article.objects.exists())


class ForbiddenDatabaseTest(TestCase):
    def test_other_database(self):
        """Only `default` is declared: a query to `audit` is a failure."""
        Entry.objects.count()


class NoDatabaseTest(SimpleTestCase):
    def test_any_database(self):
        Article.objects.count()


class HostileTextTest(SimpleTestCase):
    def test_control_characters(self):
        self.fail("nul \x00, escape \x1b[31mred\x1b[0m, form feed \f, and the end of a section ]]>")

    def test_markup(self):
        self.fail("""<failure message="&amp;">'quoted' & "double"</failure>""")

    def test_lone_surrogate(self):
        self.fail("half a character: \ud83d")

    def test_many_lines(self):
        self.fail("\n".join(f"line {number}" for number in range(400)))

    def test_without_message(self):
        raise AssertionError

    def test_unprintable(self):
        raise Unprintable

    def test_grüße_aus_wien(self):
        self.assertEqual("Grüße aus Wien 🚂", "Grüße aus Wien 🚂")
