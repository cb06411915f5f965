"""A test that counts on what another one changed."""

from django.test import SimpleTestCase

from stock import boxes


class ZoneTest(SimpleTestCase):
    def test_empty(self):
        self.assertEqual(boxes(0, 5), 0)

    def test_rounds_up_by_default(self):
        self.assertEqual(boxes(25, 10), 3)
