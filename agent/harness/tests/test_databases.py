"""Databases as the project's own runner sets them up for the tests of a pod."""

from pod import Pod

DATABASES = """
    DATABASES = {
        alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        for alias in ("default", "other", "unused")
    }
    DATABASES["replica"] = dict(DATABASES["default"], TEST={"MIRROR": "default"})
"""

TESTS = """
    from django.test import LiveServerTestCase, TestCase, TransactionTestCase
    from shop.models import Item
    from urllib.request import urlopen

    class Both(TestCase):
        databases = {"default", "other"}

        def test_both(self):
            for alias in self.databases:
                self.assertEqual(Item.objects.using(alias).count(), 1)

    class Replica(TransactionTestCase):
        databases = {"default", "replica"}
        serialized_rollback = True

        def test_mirror(self):
            self.assertEqual(Item.objects.using("replica").count(), 1)
            Item.objects.all().delete()

        def test_mirror_again(self):
            self.assertEqual(Item.objects.using("replica").count(), 1)
            Item.objects.all().delete()

    class Server(LiveServerTestCase):
        def test_page(self):
            with urlopen(self.live_server_url + "/") as page:
                self.assertEqual(page.read(), b"open")
"""

MIGRATION = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        operations = [
            migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))]),
            migrations.RunPython(
                lambda apps, editor: apps.get_model("shop.Item").objects.using(editor.connection.alias).create()
            ),
        ]
"""

URLS = """
    from django.http import HttpResponse
    from django.urls import path

    urlpatterns = [path("", lambda request: HttpResponse("open"))]
"""


def test_databases_follow_from_the_tests_of_the_plan(project):
    project.append("conf/settings.py", DATABASES.replace("\n    ", "\n"))
    project.append("conf/settings.py", 'ROOT_URLCONF = "conf.urls"\nSTATIC_URL = "static/"\n')
    project.write("conf/urls.py", URLS)
    project.write("shop/models.py", "from django.db import models\nclass Item(models.Model): pass\n")
    project.write("shop/migrations/0001_initial.py", MIGRATION)
    project.write("shop/tests.py", TESTS)
    with Pod(project) as pod:
        pod.whole()
        assert pod.ended() == 0
        assert pod.verdicts() == {
            "Both.test_both": "passed",
            "Replica.test_mirror": "passed",
            "Replica.test_mirror_again": "passed",
            "Server.test_page": "passed",
        }
        databases = {database["alias"]: database for database in pod.one("ready")["databases"]}
        assert set(databases) == {"default", "other"}, "a mirror is none of its own"
        assert all(database["seconds"] > 0 for database in databases.values())
