"""Redis, and what a pod cannot reach."""

import os
import socket

from django.core.cache import cache
from django.test import SimpleTestCase


class CounterTest(SimpleTestCase):
    def setUp(self):
        cache.clear()

    def test_visits_are_counted(self):
        cache.set("visits", 1)
        cache.incr("visits")
        self.assertEqual(cache.get("visits"), 2)


class NetworkTest(SimpleTestCase):
    def test_services_are_found_by_variables(self):
        self.assertEqual(os.environ["DATABASE_URL"], "postgres://postgres:postgres@db:5432/postgres")
        self.assertEqual(os.environ["REDIS_URL"], "redis://cache:6379/0")

    def test_services_answer_to_their_names(self):
        for address in [("db", 5432), ("cache", 6379), ("localhost", 5432)]:
            with self.subTest(address), socket.create_connection(address, 5):
                pass

    def test_nothing_else_can_be_reached(self):
        for address in [("192.0.2.1", 53), ("example.com", 443)]:
            with self.subTest(address), self.assertRaises(OSError):
                socket.create_connection(address, 5)
