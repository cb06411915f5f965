"""Tests that only `load_tests` makes: classes of one name made from a table, so that ids repeat, and bare functions."""

import unittest

from django.test import SimpleTestCase

from search.index import ENDINGS, stem

WORDS = {"trains": "train", "carried": "carri", "findings": "find", "bus": "bus"}


class StemCase(SimpleTestCase):
    word = expected = None

    def test_stem(self):
        self.assertEqual(stem(self.word), self.expected)

    def test_upper_case(self):
        self.assertEqual(stem(self.word.upper()), self.expected)


def check_longest_ending_first():
    assert list(ENDINGS) == sorted(ENDINGS, key=len, reverse=True)


def load_tests(loader, standard_tests, pattern):
    suite = unittest.TestSuite()
    for word, expected in WORDS.items():
        case = type("GeneratedStemTest", (StemCase,), {"__module__": __name__, "word": word, "expected": expected})
        suite.addTests(loader.loadTestsFromTestCase(case))
    suite.addTest(unittest.FunctionTestCase(check_longest_ending_first))
    return suite
