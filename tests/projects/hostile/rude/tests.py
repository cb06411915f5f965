"""Tests that misbehave and do not take their process down. What they leave behind stays for those after them."""

import os
import signal
import subprocess
import sys
import threading
import time

from django.test import SimpleTestCase

MIB = 1 << 20


class ClosesTest(SimpleTestCase):
    def test_a_closes_descriptors(self):
        os.closerange(0, 21)

    def test_b_prints_after_that(self):
        print("printed after closing")


class LeavesTest(SimpleTestCase):
    def test_a_leaves_a_thread(self):
        threading.Thread(target=time.sleep, args=(3600,)).start()

    def test_b_leaves_a_process(self):
        subprocess.Popen(["sleep", "3600"], start_new_session=True)

    def test_c_after(self):
        self.assertEqual(1 + 1, 2)


class NamesTest(SimpleTestCase):
    """Its tests are added below."""


NAMES = ["test_'single' and \"double\"", "test_with\na line\r\nand another", "test_🐴_<b>&amp;]]>", "test_\x1b[31mred"]
for name in NAMES:
    setattr(NamesTest, name, lambda self: self.assertEqual(1 + 1, 2))


class PrintsTest(SimpleTestCase):
    def test_a_prints_200_megabytes(self):
        for _ in range(200):
            os.write(1, b"all work and no play\n" * (MIB // 21))

    def test_b_prints_a_line_without_an_end(self):
        for _ in range(16):
            os.write(2, b"x" * MIB)

    def test_c_prints_no_text(self):
        os.write(1, b"\xff\xfe\x00\x00 \xc3\x28 \xed\xa0\x80 \x1b[2J\x07 ]]> &#0; \n" * 3)

    def test_d_after(self):
        print("printed last")


class RaisesTest(SimpleTestCase):
    def test_a_exits(self):
        sys.exit(0)

    def test_b_never_returns(self):
        self.test_b_never_returns()

    def test_c_after(self):
        self.assertEqual(1 + 1, 2)


class WandersTest(SimpleTestCase):
    def test_a_leaves_its_folder_and_environment(self):
        os.chdir("/")
        os.environ.clear()

    def test_b_hears_no_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)

    def test_c_after(self):
        self.assertEqual(1 + 1, 2)
