"""The API's answers, all green."""

from django.test import RequestFactory, TestCase
from django.urls import reverse

from api.views import products
from catalog.models import Product


class ProductsTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        Product.objects.create(category_id="books", name="Atlas", price_cents=2450)
        Product.objects.create(category_id="music", name="Études", price_cents=700)

    def test_all(self):
        names = [product["name"] for product in self.client.get(reverse("api-products")).json()["products"]]
        self.assertEqual(names, ["Atlas", "Études"])

    def test_of_a_category(self):
        answer = self.client.get(reverse("api-products"), {"category": "music"})
        self.assertEqual(answer.json(), {"products": [{"name": "Études", "price_cents": 700}]})

    def test_without_the_client(self):
        self.assertEqual(products(RequestFactory().get("/", {"category": "maps"})).content, b'{"products": []}')
