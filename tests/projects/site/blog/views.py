"""Pages of the blog."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from blog.models import Article


def article(request, slug):
    article = get_object_or_404(Article, slug=slug, published__isnull=False)
    return HttpResponse(f"{article.title}\n" + "\n".join(c.text for c in article.comments.filter(hidden=False)))
