"""Functions, classes and parameters, with and without the database."""

import pytest
from django.test import TestCase, TransactionTestCase
from shop.models import Product


def test_tea_is_there(db):
    """Migrations have run."""
    assert Product.objects.get().name == "tea"


def test_two_products(coffee):
    """A fixture adds to it."""
    assert Product.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_deleted_for_good():
    """What flushes comes after what counts on rows of migrations."""
    Product.objects.all().delete()
    assert not Product.objects.exists()


class FlushTest(TransactionTestCase):
    """Of Django, run by pytest."""

    def test_created(self):
        """Any number may be there."""
        Product.objects.create(name="cocoa")


class NameTest(TestCase):
    """Of Django, run by pytest."""

    def test_parts(self):
        """One of three fails."""
        for name in ("tea", "coffee", "cocoa"):
            with self.subTest(name=name):
                self.assertNotEqual(name, "coffee")

    def test_name(self):
        """Passes."""
        self.assertEqual(Product.objects.get().name, "tea")


@pytest.mark.parametrize("path", ["/", "/tea/1.5?x=a::b"])
def test_paths(path):
    """Ids with signs in them that mean something elsewhere."""
    assert path.startswith("/")


def test_without_mark():
    """The database is closed."""
    Product.objects.count()
