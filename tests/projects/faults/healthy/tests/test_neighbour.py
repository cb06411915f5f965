"""A neighbour that must notice nothing of what happens in other pods: it needs memory, processes and a database."""

import subprocess

from django.db import connection
from django.test import SimpleTestCase, TestCase


class NeighbourTest(SimpleTestCase):
    def test_has_memory(self):
        self.assertEqual(len(b"x" * (16 << 20)), 16 << 20)

    def test_starts_processes(self):
        for _ in range(5):
            with self.subTest():
                subprocess.run(["true"], check=True)


class NeighbourDatabaseTest(TestCase):
    def test_has_a_database(self):
        with connection.cursor() as cursor:
            self.assertEqual(cursor.execute("SELECT 42").fetchone(), (42,))
