"""Lines of a cart in the database."""

from django.contrib.auth import get_user_model
from django.test import TestCase

from cart.models import Line
from catalog.models import Product


class LineTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.user = get_user_model().objects.create_user("ada")
        cls.product = Product.objects.create(category_id="books", name="Atlas", price_cents=2450)
        cls.line = Line.objects.create(user=cls.user, product=cls.product)

    def test_one_of_each(self):
        self.assertEqual(self.line.quantity, 1)

    def test_gone_with_the_product(self):
        self.product.delete()
        self.assertFalse(self.user.cart.exists())

    def test_gone_with_the_user(self):
        self.user.delete()
        self.assertFalse(Line.objects.exists())
