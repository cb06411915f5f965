"""Books and where they stand."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Shelf(models.Model):
    name = models.CharField(max_length=50, unique=True)


class Book(models.Model):
    title = models.CharField(max_length=200)
    authors = ArrayField(models.CharField(max_length=100), default=list)
    details = models.JSONField(default=dict)
    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE)
