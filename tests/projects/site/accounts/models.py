"""Members of the shop and the countries they live in."""

from django.conf import settings
from django.db import models


class Country(models.Model):
    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=60)

    def __str__(self):
        return self.name


class Member(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    country = models.ForeignKey(Country, on_delete=models.PROTECT)
    newsletter = models.BooleanField(default=False)

    def __str__(self):
        return f"{self.user.get_username()} ({self.country_id})"
