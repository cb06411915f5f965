"""Products, in ordinary test cases."""

from django.db import IntegrityError, transaction
from django.test import SimpleTestCase, TestCase

from catalog.models import Category, Product


class ProductTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.books = Category.objects.get(slug="books")
        cls.atlas = Product.objects.create(category=cls.books, name="Atlas", price_cents=2450, stock=2)

    def setUp(self):
        self.zoology = Product.objects.create(category=self.books, name="Zoology", price_cents=990)

    def test_name_is_unique_within_a_category(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            Product.objects.create(category=self.books, name="Atlas", price_cents=1)

    def test_same_name_in_another_category(self):
        Product.objects.create(category_id="music", name="Atlas", price_cents=1)
        self.assertEqual(Product.objects.filter(name="Atlas").count(), 2)

    def test_sorted_by_name(self):
        self.assertEqual([product.name for product in self.books.products.all()], ["Atlas", "Zoology"])

    def test_goes_with_its_category(self):
        self.books.delete()
        self.assertQuerySetEqual(Product.objects.all(), [])

    def test_price_cannot_be_negative(self):
        self.atlas.price_cents = -1
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.atlas.save()


class ProductTextTest(SimpleTestCase):
    def test_shows_price(self):
        self.assertEqual(str(Product(name="Atlas", price_cents=2450)), "Atlas at 24.50")

    def test_available_while_in_stock(self):
        self.assertTrue(Product(stock=1).available)

    def test_not_available_when_sold_out(self):
        self.assertFalse(Product(stock=0).available)
