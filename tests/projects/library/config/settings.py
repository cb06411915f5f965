"""Settings of the sample library: what its environment says of PostgreSQL and Redis."""

import os
from urllib.parse import urlsplit

SECRET_KEY = "only-for-tests"
USE_TZ = True
INSTALLED_APPS = ["catalog", "loans", "visits"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def database(name=None):
    """A database of the server that the environment names."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name or url.path[1:],
        "USER": url.username,
        "PASSWORD": url.password,
        "HOST": url.hostname,
        "PORT": url.port,
    }


DATABASES = {
    "default": database(),
    "archive": database("archive"),
    "replica": database() | {"TEST": {"MIRROR": "default"}},
}
DATABASE_ROUTERS = ["config.routers.LoansRouter"]
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["REDIS_URL"],
    }
}
