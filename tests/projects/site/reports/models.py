"""The audit trail, kept in a database of its own."""

from django.db import models


class Entry(models.Model):
    action = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=1)

    @classmethod
    def record(cls, action):
        entry, created = cls.objects.get_or_create(action=action)
        if not created:
            cls.objects.filter(pk=entry.pk).update(count=models.F("count") + 1)
