"""Addresses of the site."""

from django.urls import include, path

urlpatterns = [
    path("accounts/", include("accounts.urls")),
    path("api/", include("api.urls")),
    path("blog/", include("blog.urls")),
    path("media/", include("media.urls")),
]
