"""Reviews of products: an app within the catalog's folder."""

from django.core.exceptions import ValidationError
from django.test import TestCase

from catalog.models import Product
from catalog.reviews.models import Review


class ReviewTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.product = Product.objects.create(category_id="music", name="Études", price_cents=700)

    def test_average(self):
        for stars in (2, 3, 4):
            Review.objects.create(product=self.product, stars=stars)
        self.assertEqual(Review.average(self.product), 3)

    def test_no_average_without_reviews(self):
        self.assertIsNone(Review.average(self.product))

    def test_six_stars_are_refused(self):
        with self.assertRaises(ValidationError):
            Review(product=self.product, stars=6).full_clean()
