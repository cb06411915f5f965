"""Kept databases: made once, and used by pods for which everything is as it was."""

import pytest
from kept import dump, is_warm, run, settings, warmed, write_shop
from pod import Pod

SEVERAL = """
    DATABASES = {
        alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"} for alias in ("default", "other")
    }
    DATABASES["replica"] = dict(DATABASES["default"], TEST={"MIRROR": "default"})
    DATABASES["file"] = dict(DATABASES["default"], TEST={"NAME": "test.sqlite3"})
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cached"}}
    INSTALLED_APPS += ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sites"]
    SITE_ID = 1
"""


@pytest.fixture(autouse=True)
def shop(project):
    write_shop(project)


def test_every_row_is_there_and_nothing_is_migrated(project):
    settings(project, SEVERAL)
    project.append("shop/migrations/0001_initial.py", "\nprint('migrating')\n")
    cold = run(project)
    _, databases = warmed(project)
    assert [database["alias"] for database in databases] == ["default", "other", "file"]
    kept = run(project, databases)
    assert is_warm(cold) == dict.fromkeys(("default", "other", "replica", "file"), False)
    assert is_warm(kept) == {"default": True, "other": True, "replica": False, "file": True}
    assert "sqlite_sequence" in dump(cold) and "example.com" in dump(cold) and "cached" in dump(cold)
    assert dump(kept) == dump(cold)
    assert "migrating" in cold.one("ready")["output"]
    assert "migrating" not in kept.one("ready")["output"]
