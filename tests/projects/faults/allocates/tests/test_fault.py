"""A test that takes memory until a limit stops it, and at most 1 GiB."""

import os

from django.test import SimpleTestCase

MOST_MIB = int(os.environ.get("FAULTS_ALLOCATE_MIB", "1024"))
STEP_MIB = 16


class AllocateTest(SimpleTestCase):
    def test_a_before(self):
        self.assertEqual(1 + 1, 2)

    def test_allocates(self):
        """Dies where memory is limited; fails, and says so, where it is not."""
        taken = []
        for _ in range(MOST_MIB // STEP_MIB):
            # Every page is written to, else the kernel only promises it.
            taken.append(b"x" * (STEP_MIB << 20))
        self.fail(f"took {len(taken) * STEP_MIB} MiB and no limit stopped it")

    def test_z_after(self):
        self.assertEqual(2 + 2, 4)


class OtherClassTest(SimpleTestCase):
    """Runs after the fault."""

    def test_first(self):
        self.assertTrue(True)

    def test_second(self):
        self.assertTrue(True)
