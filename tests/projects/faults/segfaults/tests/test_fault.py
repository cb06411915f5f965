"""A test under which the interpreter dies of a segmentation fault."""

import ctypes

from django.test import SimpleTestCase


class SegmentationFaultTest(SimpleTestCase):
    def test_a_before(self):
        self.assertEqual(1 + 1, 2)

    def test_reads_address_zero(self):
        ctypes.string_at(0)

    def test_z_after(self):
        self.assertEqual(2 + 2, 4)


class OtherClassTest(SimpleTestCase):
    """Runs after the fault."""

    def test_first(self):
        self.assertTrue(True)

    def test_second(self):
        self.assertTrue(True)
