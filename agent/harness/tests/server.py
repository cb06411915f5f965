"""A database server that several pods use at once, in a container with a port on this host."""

import os
import pathlib
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
PATIENCE = 60.0

SETTINGS = """
    %s
    SECRET_KEY = "not a secret"
    INSTALLED_APPS = ["django.contrib.contenttypes", "shop"]
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.%s", "HOST": "127.0.0.1", "PORT": %d,
            "USER": "%s", "PASSWORD": "only-for-tests", "NAME": "shop",
        }
    }
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    USE_TZ = True
"""


class Server:
    """PostgreSQL."""

    service, port_inside, engine, user = "postgres", "5432", "postgresql", "postgres"
    command = ["postgres", "-c", "fsync=off", "-c", "listen_addresses=*"]
    password = "POSTGRES_PASSWORD"
    imports = ""
    list_databases = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"

    def __init__(self):
        image = "muletrain-test-%s:bookworm" % self.service
        script = os.environ.get("SERVICE_IMAGE", REPOSITORY / "tests/bin/service-image")
        subprocess.run([script, self.service, image], check=True, stderr=subprocess.DEVNULL)
        options = ["--publish", "127.0.0.1::%s" % self.port_inside, "--env", "%s=only-for-tests" % self.password]
        self.id = _docker("run", "--detach", "--rm", *options, image, *self.command)
        self.port = int(_docker("port", self.id, self.port_inside).rpartition(":")[2])
        self.settings = SETTINGS % (self.imports, self.engine, self.port, self.user)
        self._wait()

    def names(self):
        """Of all databases that somebody made."""
        return self.query(self.list_databases)

    def query(self, query):
        import psycopg

        with psycopg.connect(dbname="postgres", autocommit=True, **self.address()) as connection:
            cursor = connection.execute(query)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    def address(self):
        return {"host": "127.0.0.1", "port": self.port, "user": self.user, "password": "only-for-tests"}

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
                if time.monotonic() >= deadline:
                    log = _docker("logs", self.id)
                    self.stop()
                    raise AssertionError(log)
            time.sleep(0.05)


class MariaDB(Server):
    """With a driver that needs no compiler in place of the one that Django asks for."""

    service, port_inside, engine, user = "mariadb", "3306", "mysql", "root"
    command = ["mariadbd", "--bind-address=0.0.0.0"]
    password = "MARIADB_ROOT_PASSWORD"
    imports = (
        "import pymysql; pymysql.version_info = (2, 2, 1, 'final', 0); pymysql.install_as_MySQLdb()"
    )
    list_databases = """
        SELECT schema_name FROM information_schema.schemata
        WHERE schema_name NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') ORDER BY 1
    """

    def query(self, query):
        import pymysql

        connection = pymysql.connect(autocommit=True, **self.address())
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return [row[0] for row in cursor.fetchall()]
        finally:
            connection.close()


def _docker(*arguments):
    return subprocess.run(["docker", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
