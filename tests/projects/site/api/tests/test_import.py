"""A module that cannot be imported. Red on purpose."""

from django.test import SimpleTestCase

from api.pagination import Page


class PageTest(SimpleTestCase):
    def test_never_loaded(self):
        self.assertTrue(Page(1))
