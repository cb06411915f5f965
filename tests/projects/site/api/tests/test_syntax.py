"""A module that is no Python. Red on purpose."""

from django.test import SimpleTestCase


class VersionTest(SimpleTestCase):
    def test_never_loaded(self)
        self.fail("a colon is missing above")
