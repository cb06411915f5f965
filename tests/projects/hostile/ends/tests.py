"""Tests that take their process down."""

import os
import sys

from django.test import SimpleTestCase


class EndsTest(SimpleTestCase):
    def test_a_exits(self):
        os._exit(1)

    def test_b_interrupts(self):
        raise KeyboardInterrupt

    def test_c_overflows_the_stack(self):
        sys.setrecursionlimit(1 << 30)

        def deeper(_):
            return list(map(deeper, [0]))

        deeper(0)

    def test_d_after(self):
        self.assertEqual(1 + 1, 2)
