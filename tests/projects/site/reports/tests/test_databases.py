"""Several databases: each of them alone, both, and all."""

from django.contrib.auth import get_user_model
from django.db import connections
from django.test import TestCase, TransactionTestCase

from reports.models import Entry


class AuditOnlyTest(TestCase):
    databases = {"audit"}

    def test_starts_with_what_migrations_wrote(self):
        self.assertEqual(Entry.objects.get().action, "installed")

    def test_counts(self):
        for _ in range(3):
            Entry.record("sign-in")
        self.assertEqual(Entry.objects.get(action="sign-in").count, 3)

    def test_no_user_table(self):
        self.assertNotIn("auth_user", connections["audit"].introspection.table_names())


class BothDatabasesTest(TestCase):
    databases = {"default", "audit"}

    @classmethod
    def setUpTestData(cls):
        get_user_model().objects.create_user("ada")
        Entry.record("user made")

    def test_written_to_both(self):
        self.assertTrue(Entry.objects.filter(action="user made").exists())
        self.assertTrue(get_user_model().objects.filter(username="ada").exists())

    def test_no_entries_in_the_default_database(self):
        self.assertNotIn("reports_entry", connections["default"].introspection.table_names())

    def test_queries_are_counted_for_each(self):
        with self.assertNumQueries(1, using="audit"), self.assertNumQueries(0, using="default"):
            Entry.objects.count()


class AllDatabasesTest(TransactionTestCase):
    databases = "__all__"
    serialized_rollback = True

    def test_deleting(self):
        Entry.objects.all().delete()
        self.assertFalse(Entry.objects.exists())

    def test_there_at_the_start(self):
        self.assertEqual(Entry.objects.get().action, "installed")
