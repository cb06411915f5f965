"""Settings of the sample site: two SQLite databases, a router, and a test runner of its own."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("SITE_SECRET_KEY", "insecure-sample-key")
DEBUG = False
ALLOWED_HOSTS = []
ROOT_URLCONF = "config.urls"
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "accounts",
    "catalog",
    "catalog.reviews",
    "cart",
    "orders",
    "blog",
    "search",
    "reports",
    "media",
    "api",
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]

DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "site.sqlite3"},
    "audit": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "audit.sqlite3"},
}
DATABASE_ROUTERS = ["config.routers.AuditRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
MEDIA_ROOT = BASE_DIR / "uploads"
MEDIA_URL = "/uploads/"

# Fast rather than safe: the tests sign in often and the site serves nobody.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

TEST_RUNNER = "config.runner.SiteRunner"
