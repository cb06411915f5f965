"""A test that ends its process at once and leaves exit code 0, as if all had gone well."""

import os

from django.test import SimpleTestCase


class ExitTest(SimpleTestCase):
    def test_a_before(self):
        self.assertEqual(1 + 1, 2)

    def test_exits(self):
        print("printed before the exit", flush=True)
        os._exit(0)

    def test_z_after(self):
        self.assertEqual(2 + 2, 4)


class OtherClassTest(SimpleTestCase):
    """Runs after the fault."""

    def test_first(self):
        self.assertTrue(True)

    def test_second(self):
        self.assertTrue(True)
