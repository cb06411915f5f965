"""Addresses of the API."""

from django.urls import path

from api import views

urlpatterns = [path("products/", views.products, name="api-products")]
