"""Tests that change nothing."""

from django.test import SimpleTestCase

from stock import boxes


class ManyTest(SimpleTestCase):
    def test_none(self):
        self.assertEqual(boxes(0, 10), 0)

    def test_one_box(self):
        self.assertEqual(boxes(10, 10), 1)

    def test_two_boxes(self):
        self.assertEqual(boxes(20, 10), 2)
