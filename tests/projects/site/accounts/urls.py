"""Addresses of the accounts app."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("sign-in/", views.sign_in, name="sign-in"),
]
