"""Totals; `TotalContract` is imported by the tests of orders too, and still is one class with one id."""

from unittest import TestCase

from cart.totals import discount, shipping, total


class TotalContract(TestCase):
    def test_nothing_costs_nothing(self):
        self.assertEqual(total(0), 0)

    def test_small_carts_pay_shipping(self):
        self.assertEqual(total(10_00), 14_90)

    def test_large_carts_get_a_discount(self):
        self.assertEqual(total(200_00), 190_00)


class DiscountTest(TestCase):
    def test_none_below_the_limit(self):
        self.assertEqual(discount(99_99), 0)

    def test_from_the_limit_on(self):
        self.assertEqual(discount(100_00), 5_00)


class ShippingTest(TestCase):
    def test_express(self):
        self.assertEqual(shipping(10_00, express=True), 12_00)

    def test_free(self):
        self.assertEqual(shipping(50_00), 0)
