"""Rows of a data migration, under each way Django has of putting a database back."""

from django.core.management import call_command
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase

from catalog.models import Category

FIRST = ["books", "magazines", "music"]


def slugs():
    return sorted(Category.objects.values_list("slug", flat=True))


class MigratedCategoryTest(TestCase):
    def test_migration_added_them(self):
        self.assertEqual(slugs(), FIRST)

    def test_nothing_left_to_migrate(self):
        call_command("migrate", check_unapplied=True, verbosity=0)

    def test_callback_after_commit(self):
        seen = []
        with self.captureOnCommitCallbacks(execute=True):
            transaction.on_commit(lambda: seen.append("committed"))
        self.assertEqual(seen, ["committed"])


class RestoredCategoryTest(TransactionTestCase):
    serialized_rollback = True

    def test_deleting_all(self):
        Category.objects.all().delete()
        self.assertEqual(slugs(), [])

    def test_there_at_the_start(self):
        self.assertEqual(slugs(), FIRST)

    def test_there_after_a_rollback(self):
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            Category.objects.all().delete()
            1 / 0
        self.assertEqual(slugs(), FIRST)


class FlushedCategoryTest(TransactionTestCase):
    """Counts on no row but its own: whether the migrated ones are there depends on who ran before."""

    # A flush of everything would make the content types anew, and no class with serialized rows could run after it.
    available_apps = ["catalog", "catalog.reviews"]

    def test_committed_for_real(self):
        Category.objects.create(slug="maps", name="Maps")
        self.assertFalse(connection.in_atomic_block)
        self.assertTrue(Category.objects.filter(slug="maps").exists())

    def test_flushed_since(self):
        self.assertFalse(Category.objects.filter(slug="maps").exists())
