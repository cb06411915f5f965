"""A test that starts processes until a limit stops it, and at most 600 of them for at most 20 seconds."""

import os
import signal

from django.test import SimpleTestCase

MOST_PROCESSES = int(os.environ.get("FAULTS_PROCESSES", "600"))


class ForkTest(SimpleTestCase):
    def test_a_before(self):
        self.assertEqual(1 + 1, 2)

    def test_forks(self):
        """Passes where the number of processes is limited; fails, and says so, where it is not."""
        started = []
        self.addCleanup(reap, started)
        while len(started) < MOST_PROCESSES:
            try:
                # Small, and gone by itself should this process die first.
                started.append(os.posix_spawn("/bin/sleep", ["sleep", "20"], {}))
            except BlockingIOError:
                print(f"stopped at {len(started)} processes")
                return
        self.fail(f"started {len(started)} processes and no limit stopped it")

    def test_z_after(self):
        self.assertEqual(2 + 2, 4)


class OtherClassTest(SimpleTestCase):
    """Runs after the fault."""

    def test_first(self):
        self.assertTrue(True)

    def test_second(self):
        self.assertTrue(True)


def reap(started):
    for pid in started:
        os.kill(pid, signal.SIGKILL)
    for pid in started:
        os.waitpid(pid, 0)
