"""A test whose process is killed with a signal nothing can catch."""

import os
import signal

from django.test import SimpleTestCase


class KilledTest(SimpleTestCase):
    def test_a_before(self):
        self.assertEqual(1 + 1, 2)

    def test_kills_itself(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def test_z_after(self):
        self.assertEqual(2 + 2, 4)


class OtherClassTest(SimpleTestCase):
    """Runs after the fault."""

    def test_first(self):
        self.assertTrue(True)

    def test_second(self):
        self.assertTrue(True)
