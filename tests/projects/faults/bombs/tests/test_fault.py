"""A test whose child forks in a loop, as do all its children, and goes on after the test."""

import pathlib
import subprocess
import sys
import time

from django.test import SimpleTestCase

# The bomb goes off nowhere but in a container with a limit of its own, and not above this one.
MOST_PROCESSES = 1000

# Each process of it ends by itself after 20 seconds, should its pod not end before.
BOMB = """
import os, time
latest = time.monotonic() + 20
while time.monotonic() < latest:
    try:
        os.fork()
    except OSError:
        time.sleep(0.05)
"""


def limit_on_processes():
    for path in ["/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max"]:
        try:
            return int(pathlib.Path(path).read_text())
        except (OSError, ValueError):
            pass
    return None


class BombTest(SimpleTestCase):
    def test_a_before(self):
        self.assertEqual(1 + 1, 2)

    def test_forks_in_a_loop(self):
        """Passes where the number of processes is limited; fails, and starts none, where it is not."""
        limit = limit_on_processes()
        if limit is None or limit > MOST_PROCESSES:
            self.fail("nothing limits how many processes there are: %s" % limit)
        subprocess.Popen([sys.executable, "-I", "-S", "-c", BOMB])
        latest = time.monotonic() + 10
        while time.monotonic() < latest:
            try:
                # Small, and gone at once.
                subprocess.run(["/bin/true"])
            except BlockingIOError:
                print("no room for another process")
                return
            time.sleep(0.01)
        self.fail("the limit of %d processes stopped nothing" % limit)

    def test_z_after(self):
        self.assertEqual(2 + 2, 4)


class OtherClassTest(SimpleTestCase):
    """Runs after the fault."""

    def test_first(self):
        self.assertTrue(True)

    def test_second(self):
        self.assertTrue(True)
