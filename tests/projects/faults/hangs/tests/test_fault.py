"""Tests that never end: one computes, one waits and is deaf to the polite signals. For time limits."""

import signal
import time

from django.test import SimpleTestCase


class HangTest(SimpleTestCase):
    def test_a_before(self):
        self.assertEqual(1 + 1, 2)

    def test_computes_for_ever(self):
        while True:
            pass

    def test_waits_for_ever_and_is_deaf(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(3600)

    def test_z_after(self):
        self.assertEqual(2 + 2, 4)


class OtherClassTest(SimpleTestCase):
    """Runs after the fault."""

    def test_first(self):
        self.assertTrue(True)

    def test_second(self):
        self.assertTrue(True)
