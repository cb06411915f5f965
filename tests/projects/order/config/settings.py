"""Settings of the sample project whose tests depend on their order."""

SECRET_KEY = "only-for-tests"
USE_TZ = True
INSTALLED_APPS = ["stock"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
