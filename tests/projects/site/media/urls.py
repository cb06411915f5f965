"""Addresses of the media app."""

from django.urls import path

from media import views

urlpatterns = [
    path("", views.upload, name="upload"),
    path("<int:pk>/", views.download, name="download"),
]
