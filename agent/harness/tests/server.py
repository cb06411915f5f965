"""A PostgreSQL server that several pods use at once, in a container with a port on this host."""

import os
import pathlib
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
IMAGE = "muletrain-test-postgres:bookworm"
PATIENCE = 60.0
SETTING_UP = ["-c", "fsync=off", "-c", "listen_addresses=*"]

SETTINGS = """
    SECRET_KEY = "not a secret"
    INSTALLED_APPS = ["django.contrib.contenttypes", "shop"]
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": %d,
            "USER": "postgres", "PASSWORD": "only-for-tests", "NAME": "shop",
        }
    }
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    USE_TZ = True
"""


class Server:
    def __init__(self):
        script = os.environ.get("SERVICE_IMAGE", REPOSITORY / "tests/bin/service-image")
        subprocess.run([script, "postgres", IMAGE], check=True, stderr=subprocess.DEVNULL)
        options = ["--detach", "--rm", "--publish", "127.0.0.1::5432", "--env", "POSTGRES_PASSWORD=only-for-tests"]
        self.id = _docker("run", *options, IMAGE, "postgres", *SETTING_UP)
        self.port = int(_docker("port", self.id, "5432").rpartition(":")[2])
        self.settings = SETTINGS % self.port
        self._wait()

    def names(self):
        """Of all databases that somebody made."""
        rows = self.query("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1")
        return [name for name in rows if name != "postgres"]

    def query(self, query):
        import psycopg

        address = {"host": "127.0.0.1", "port": self.port, "user": "postgres", "password": "only-for-tests"}
        with psycopg.connect(dbname="postgres", autocommit=True, **address) as connection:
            cursor = connection.execute(query)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    def is_empty(self):
        """A server takes a moment to notice that its clients are gone."""
        deadline = time.monotonic() + PATIENCE
        while self.names() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.names() == []

    def stop(self):
        _docker("rm", "--force", "--volumes", self.id)

    def _wait(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.query("SELECT 1")
            except Exception:
                assert time.monotonic() < deadline, _docker("logs", self.id)
            time.sleep(0.05)


def _docker(*arguments):
    return subprocess.run(["docker", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
