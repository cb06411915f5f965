"""A test that leaves something behind."""

from django.test import SimpleTestCase

import stock


class TotalTest(SimpleTestCase):
    def test_keeps_whole_boxes(self):
        self.assertEqual(stock.boxes(30, 10), 3)

    def test_rounds_down(self):
        stock.ROUNDING = "down"
        self.assertEqual(stock.boxes(25, 10), 2)
