"""What is sold."""

from django.db import models


class Product(models.Model):
    """Something with a name."""

    name = models.CharField(max_length=40)
