"""Settings of the sample project of faults: one app for each way a test can take its process down."""

SECRET_KEY = "only-for-tests"
USE_TZ = True
INSTALLED_APPS = ["exits", "segfaults", "killed", "hangs", "allocates", "forks", "bombs", "healthy"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
