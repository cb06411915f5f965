"""A project with databases worth keeping, and what the tests of kept databases do with it."""

import re
import textwrap

from pod import Pod

MIGRATION = """
    from django.db import migrations, models
    from shop.seed import names

    def fill(apps, editor):
        items = apps.get_model("shop.Item").objects.using(editor.connection.alias)
        for name in names():
            items.create(name=name)
        items.filter(name="gone").delete()

    class Migration(migrations.Migration):
        operations = [
            migrations.CreateModel(
                "Item",
                [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=9))],
            ),
            migrations.RunPython(fill),
        ]
"""

SEED = """
    import pathlib

    def names():
        return pathlib.Path(__file__).with_name("seed.txt").read_text().split()
"""

MODELS = """
    from django.db import models

    class Item(models.Model):
        name = models.CharField(max_length=9)
"""

DUMP = """
    from django.db import connections
    from django.test import TestCase

    class Dump(TestCase):
        databases = "__all__"

        def test_dump(self):
            for alias in connections:
                print("--", alias)
                for line in connections[alias].connection.iterdump():
                    print(line)
"""


def write_shop(project):
    """An app whose migration imports a module, which reads a file."""
    project.write("shop/models.py", MODELS)
    project.write("shop/migrations/0001_initial.py", MIGRATION)
    project.write("shop/seed.py", SEED)
    project.write("shop/seed.txt", "apple gone pear")
    project.write("shop/tests.py", DUMP)


def settings(project, source):
    project.append("conf/settings.py", textwrap.dedent(source))


def warmed(project, env=None):
    """What a pod that warms tells: its manifest and its databases."""
    with Pod(project, env) as pod:
        pod.hello(trace=True)
        manifest = pod.warm()["manifest"]
        assert pod.finish()["tests"] == 0
        assert pod.ended() == 0
    return manifest, pod.of("database")


def matched(project, *manifests, env=None):
    with Pod(project, env) as pod:
        return pod.match(*manifests)


def run(project, databases=None, app="shop"):
    with Pod(project) as pod:
        pod.whole(app, databases, output_limit=1 << 20)
        assert pod.ended() == 0
    return pod


def is_warm(pod):
    return {database["alias"]: database["warm"] for database in pod.one("ready")["databases"]}


def dump(pod):
    """Every row of every table, as the test `Dump` saw it; times of migrations apart."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?", "TIME", pod.finished("test_dump")["output"])
