"""What only PostgreSQL has."""

from django.db import IntegrityError, connection, transaction
from django.test import TestCase

from catalog.models import Book, Shelf


class BookTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.shelf = Shelf.objects.get(name="Travel")
        cls.book = Book.objects.create(
            title="Persuasion", authors=["Jane", "Austen"], details={"pages": 249}, shelf=cls.shelf
        )

    def test_the_server_is_postgresql(self):
        self.assertEqual(connection.vendor, "postgresql")

    def test_arrays_are_searched(self):
        self.assertEqual(Book.objects.get(authors__contains=["Jane"]), self.book)

    def test_documents_are_searched(self):
        self.assertEqual(Book.objects.get(details__pages__gt=200), self.book)

    def test_names_are_unique(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            Shelf.objects.create(name="Travel")
        self.assertEqual(Shelf.objects.filter(name="Travel").count(), 1)
