"""Orders; the class imported from the cart's tests runs once, and belongs to the cart."""

from django.contrib.auth import get_user_model
from django.test import TestCase

from cart.models import Line
from cart.tests.test_totals import TotalContract  # noqa: F401
from catalog.models import Product
from orders.models import Order


class OrderTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.user = get_user_model().objects.create_user("ada")
        product = Product.objects.create(category_id="books", name="Atlas", price_cents=2450)
        Line.objects.create(user=cls.user, product=product, quantity=3)

    def test_place(self):
        self.assertEqual(Order.place(self.user).cents, 73_50)

    def test_place_empties_the_cart(self):
        Order.place(self.user)
        self.assertFalse(self.user.cart.exists())

    def test_pay(self):
        order = Order.place(self.user)
        order.pay()
        self.assertEqual(Order.objects.get().state, Order.State.PAID)

    def test_pay_once(self):
        order = Order(state=Order.State.PAID, cents=1)
        with self.assertRaisesMessage(ValueError, "is paid already"):
            order.pay()
