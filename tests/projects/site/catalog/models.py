"""What the shop sells."""

from django.db import models


class Category(models.Model):
    slug = models.SlugField(primary_key=True)
    name = models.CharField(max_length=40)

    def __str__(self):
        return self.name


class Product(models.Model):
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="products")
    name = models.CharField(max_length=80)
    price_cents = models.PositiveIntegerField()
    stock = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["category", "name"], name="one_product_of_a_name")]

    def __str__(self):
        return f"{self.name} at {self.price_cents / 100:.2f}"

    @property
    def available(self):
        return self.stock > 0
