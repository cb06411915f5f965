"""A module whose teardown breaks after all its tests passed. Red on purpose."""

import unittest


def tearDownModule():
    raise RuntimeError("the ledger is still open")


class LedgerTest(unittest.TestCase):
    def test_passes(self):
        self.assertTrue(True)

    def test_passes_too(self):
        self.assertTrue(True)
