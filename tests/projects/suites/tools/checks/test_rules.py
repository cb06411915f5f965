"""Plain tests of unittest."""

import os
import unittest


def setUpModule():
    """Keeps the module whole."""
    os.environ["CHECKED"] = "1"


class RulesTest(unittest.TestCase):
    """The suite's own environment."""

    def test_rules(self):
        """As muletrain.toml says."""
        self.assertEqual(os.environ["RULES"], "strict")

    def test_broken(self):
        """Red."""
        self.assertEqual(os.environ["CHECKED"], "2")
