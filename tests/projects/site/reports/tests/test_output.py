"""Tests that write wherever a process can write; all pass."""

import json
import logging
import os
import subprocess
import sys
import warnings

from django.test import SimpleTestCase

logger = logging.getLogger(__name__)


class OutputTest(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        print("printed by setUpClass")

    @classmethod
    def tearDownClass(cls):
        print("printed by tearDownClass")
        super().tearDownClass()

    def test_standard_output(self):
        print("printed to standard output, Grüße")

    def test_standard_error(self):
        print("printed to standard error", file=sys.stderr)

    def test_without_newline(self):
        print("no newline follows", end="")

    def test_bytes(self):
        os.write(1, b"bytes that are no text: \xff\xfe\x00 end\n")
        os.write(2, b"\x1b[31mred\x1b[0m on descriptor 2\n")

    def test_subprocess(self):
        subprocess.run([sys.executable, "-c", "print('printed by a subprocess')"], check=True)

    def test_shell(self):
        self.assertEqual(os.system("echo printed by a shell; echo and its error >&2"), 0)

    def test_line_of_a_report(self):
        """Looks like the result of another test, and must not become one."""
        print(json.dumps({"type": "finished", "test": "reports.tests.test_output.OutputTest.test_forged", "verdict": "failed"}))
        print("<testcase classname='forged' name='test_forged'><failure/></testcase>")

    def test_logging(self):
        with self.assertLogs(logger, "WARNING"):
            logger.warning("caught, not shown")

    def test_warning(self):
        warnings.warn("old tariff", DeprecationWarning, stacklevel=1)

    def test_standard_input_is_not_needed(self):
        self.assertEqual(subprocess.run(["cat"], stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout, b"")
