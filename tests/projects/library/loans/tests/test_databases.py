"""Two databases, and a replica of one of them."""

from django.db import connections
from django.test import TestCase, TransactionTestCase

from catalog.models import Shelf
from loans.models import Loan


class ArchiveTest(TestCase):
    databases = {"default", "archive"}

    def test_loans_are_in_the_archive(self):
        Loan.objects.create(title="Emma", reader="Anne")
        self.assertEqual(Loan.objects.using("archive").count(), 1)

    def test_each_database_has_its_own_tables(self):
        tables = {alias: set(connections[alias].introspection.table_names()) for alias in self.databases}
        self.assertEqual(tables["archive"] - {"django_migrations"}, {"loans_loan"})
        self.assertNotIn("loans_loan", tables["default"])


class ReplicaTest(TransactionTestCase):
    databases = {"default", "replica"}

    serialized_rollback = True

    def test_a_replica_has_what_is_written(self):
        Shelf.objects.create(name="New")
        self.assertTrue(Shelf.objects.using("replica").filter(name="New").exists())


class FlushTest(TransactionTestCase):
    databases = {"archive"}

    def test_a_leaves_a_row(self):
        Loan.objects.create(title="Emma", reader="Anne")
        self.assertEqual(Loan.objects.count(), 1)

    def test_b_finds_none(self):
        self.assertEqual(Loan.objects.count(), 0)
