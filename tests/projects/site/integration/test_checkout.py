"""From the shelf to the paid order: tests that belong to no app."""

from django.contrib.auth import get_user_model
from django.test import TestCase, tag

from accounts.models import Country, Member
from cart.models import Line
from catalog.models import Product
from orders.models import Order
from reports.models import Entry


@tag("slow")
class CheckoutTest(TestCase):
    databases = {"default", "audit"}

    @classmethod
    def setUpTestData(cls):
        cls.user = get_user_model().objects.create_user("ada", password="engine")
        Member.objects.create(user=cls.user, country=Country.objects.get(code="IS"))
        cls.atlas = Product.objects.create(category_id="books", name="Atlas", price_cents=2450, stock=3)

    def setUp(self):
        Line.objects.create(user=self.user, product=self.atlas, quantity=2)

    def test_order_is_paid(self):
        order = Order.place(self.user)
        order.pay()
        Entry.record("paid")
        self.assertEqual(self.user.orders.get().state, Order.State.PAID)
        self.assertEqual(Entry.objects.get(action="paid").count, 1)

    def test_cart_is_empty_afterwards(self):
        Order.place(self.user)
        self.assertFalse(self.user.cart.exists())

    def test_listed_in_the_api(self):
        self.client.force_login(self.user)
        self.assertContains(self.client.get("/api/products/"), "Atlas")
