"""Rows of a migration, also after what flushes the database."""

from django.test import TestCase, TransactionTestCase

from catalog.models import Shelf
from catalog.shelves import SHELVES


def names():
    return list(Shelf.objects.order_by("pk").values_list("name", flat=True))


class MigratedRowsTest(TestCase):
    def test_rows_are_there(self):
        self.assertEqual(names(), SHELVES)


class RestoredRowsTest(TransactionTestCase):
    serialized_rollback = True

    def test_a_rows_are_restored(self):
        self.assertEqual(names(), SHELVES)
        Shelf.objects.all().delete()

    def test_b_rows_are_restored_again(self):
        self.assertEqual(names(), SHELVES)
        Shelf.objects.create(name="New")
