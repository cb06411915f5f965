"""The magazine: articles, and what readers say about them."""

from django.db import models


class Article(models.Model):
    title = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    published = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["title"]


class Comment(models.Model):
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="comments")
    text = models.TextField()
    hidden = models.BooleanField(default=False)

    def hide(self):
        self.hidden = True
        self.save(update_fields=["hidden"])
