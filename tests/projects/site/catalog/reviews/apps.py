"""An app inside another app's folder."""

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "catalog.reviews"
    label = "reviews"
