"""Who has which book, in a database of its own."""

from django.db import models


class Loan(models.Model):
    title = models.CharField(max_length=200)
    reader = models.CharField(max_length=100)
