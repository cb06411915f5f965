"""Module fixtures that work; each class relies on them, so the module cannot be split without them."""

import unittest

from django.test import SimpleTestCase

session = {}


def setUpModule():
    print("printed by setUpModule")
    session["token"] = "made once"
    unittest.addModuleCleanup(session.clear)


def tearDownModule():
    assert session == {"token": "made once"}


class FirstTest(SimpleTestCase):
    def test_token(self):
        self.assertEqual(session["token"], "made once")

    def test_token_again(self):
        self.assertEqual(session["token"], "made once")


class SecondTest(SimpleTestCase):
    def test_token(self):
        self.assertEqual(session["token"], "made once")
