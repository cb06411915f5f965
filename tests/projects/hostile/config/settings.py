"""Settings of the sample project of rude tests."""

SECRET_KEY = "only-for-tests"
USE_TZ = True
INSTALLED_APPS = ["rude", "patches", "ends"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
