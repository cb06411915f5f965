"""Files that editors upload."""

from django.db import models


class Upload(models.Model):
    title = models.CharField(max_length=80)
    file = models.FileField(upload_to="covers")
