"""Kept databases: made once, and used by pods for which everything is as it was."""

import pytest
from kept import DUMP, dump, is_warm, run, settings, warmed, write_shop
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
    assert is_warm(cold) == dict.fromkeys(("default", "other", "file"), False)
    assert is_warm(kept) == {"default": True, "other": True, "file": True}
    assert "sqlite_sequence" in dump(cold) and "example.com" in dump(cold) and "cached" in dump(cold)
    assert dump(kept) == dump(cold)
    assert "migrating" in cold.one("ready")["output"]
    assert "migrating" not in kept.one("ready")["output"]


def test_verdicts_are_those_of_a_run_without(project):
    settings(project, SEVERAL)
    project.write("shop/tests.py", TESTS)
    _, databases = warmed(project)
    cold, kept = run(project), run(project, databases)
    assert all(is_warm(kept)[alias] for alias in ("default", "other"))
    assert kept.verdicts() == cold.verdicts()
    assert list(cold.verdicts().values()) == ["passed"] * 9


TESTS = """
    from django.contrib.auth.models import Permission
    from django.core.cache import cache
    from django.db import IntegrityError, connection, models, transaction
    from django.test import TestCase, TransactionTestCase
    from shop.models import Item

    NAMES = ["apple", "pear"]

    def names(alias="default"):
        return sorted(Item.objects.using(alias).values_list("name", flat=True))

    class Plain(TestCase):
        databases = {"default", "other"}

        def test_rows(self):
            self.assertEqual([names(), names("other")], [NAMES, NAMES])

        def test_ids_go_on(self):
            self.assertEqual(Item.objects.create(name="next").pk, 4)

        def test_permissions(self):
            Permission.objects.get(codename="add_item").group_set.create(name="clerks")

        def test_cache(self):
            cache.set("key", 1)
            self.assertEqual(cache.get("key"), 1)

        def test_foreign_keys(self):
            with self.assertRaises(IntegrityError), transaction.atomic():
                Permission.objects.create(name="x", codename="x", content_type_id=999)
                connection.check_constraints()

    class Rollback(TransactionTestCase):
        databases = {"default", "replica"}
        serialized_rollback = True

        def test_one(self):
            self.assertEqual([names(), names("replica")], [NAMES, NAMES])
            Item.objects.all().delete()

        def test_two(self):
            self.assertEqual([names(), names("replica")], [NAMES, NAMES])
            Item.objects.all().delete()

    class Wiped(TransactionTestCase):
        def test_one(self):
            Item.objects.create(name="plum")

        def test_schema_can_be_changed(self):
            with connection.schema_editor() as editor:
                field = models.CharField(max_length=20, default="")
                field.set_attributes_from_name("colour")
                editor.add_field(Item, field)
                editor.remove_field(Item, field)
            connection.check_constraints()
"""


def test_a_runner_that_adds_to_databases_adds_to_each_once(project):
    project.write("conf/runner.py", RUNNER)
    settings(project, SEVERAL)
    settings(project, 'TEST_RUNNER = "conf.runner.Runner"\n')
    _, databases = warmed(project)
    cold, kept = run(project), run(project, databases)
    assert is_warm(kept)["default"]
    assert dump(kept) == dump(cold)
    assert dump(kept).count("'plum'") == 2, "once in the database and once in its mirror"


RUNNER = """
    from django.db import connection
    from django.test.runner import DiscoverRunner

    class Runner(DiscoverRunner):
        def setup_databases(self, **kwargs):
            names = super().setup_databases(**kwargs)
            from shop.models import Item
            Item.objects.create(name="plum")
            with connection.cursor() as cursor:
                cursor.execute("create table greeting (text)")
            return names

        def teardown_databases(self, old, **kwargs):
            from shop.models import Item
            assert Item.objects.filter(name="plum").count() == 1
            super().teardown_databases(old, **kwargs)
"""


def test_projects_without_migrations(project):
    settings(project, 'DATABASES["default"]["TEST"] = {"MIGRATE": False}\n')
    _, databases = warmed(project)
    cold, kept = run(project), run(project, databases)
    assert is_warm(kept) == {"default": True}
    assert dump(kept) == dump(cold) and "shop_item" in dump(kept) and "apple" not in dump(kept)


def test_a_database_file_with_a_journal_of_its_own(project):
    settings(project, WRITE_AHEAD)
    _, databases = warmed(project)
    cold, kept = run(project), run(project, databases)
    assert is_warm(kept) == {"default": True}
    assert dump(kept) == dump(cold)


WRITE_AHEAD = """
    from django.db.backends.signals import connection_created

    def write_ahead(connection, **_):
        connection.connection.executescript("PRAGMA page_size=8192; PRAGMA journal_mode=WAL")

    connection_created.connect(write_ahead)
    DATABASES["default"]["TEST"] = {"NAME": "test.sqlite3"}
"""


def test_a_project_without_databases(project):
    settings(project, "DATABASES = {}\n")
    project.write("shop/tests.py", "")
    assert warmed(project)[1] == []
    assert run(project, []).one("ready")["databases"] == []


def test_receivers_of_signals_run_once_and_are_there(project):
    project.write("shop/management/__init__.py", RECEIVER)
    project.write("shop/tests.py", DUMP + FLUSHED)
    _, databases = warmed(project)
    cold, kept = run(project), run(project, databases)
    assert is_warm(kept) == {"default": True}
    assert dump(kept) == dump(cold) and dump(kept).count("'received'") == 1
    assert kept.verdicts() == cold.verdicts() == dict.fromkeys(cold.verdicts(), "passed")


RECEIVER = """
    from django.db.models.signals import post_migrate

    def fill(sender, using, **kwargs):
        if sender.label == "shop":
            from shop.models import Item
            Item.objects.using(using).create(name="received")

    post_migrate.connect(fill)
"""

FLUSHED = """
    from django.test import TransactionTestCase
    from shop.models import Item

    class Flushed(TransactionTestCase):
        def test_one(self):
            Item.objects.all().delete()

        def test_two(self):
            self.assertEqual(Item.objects.get().name, "received")
"""


def test_models_that_only_tests_declare_have_their_tables(project):
    project.add_app("plain")
    project.write("plain/models.py", "from django.db import models\nclass Thing(models.Model): pass\n")
    project.write("plain/tests.py", DECLARING)
    _, databases = warmed(project)
    plain = run(project, databases, app="plain")
    assert plain.finished("test_other_thing")["verdict"] == "passed"
    assert is_warm(plain) == {"default": False}
    project.write("plain/tests.py", "")
    assert is_warm(run(project, databases)) == {"default": True}


DECLARING = """
    from django.db import models
    from django.test import TestCase

    class OtherThing(models.Model):
        class Meta:
            app_label = "plain"

    class Declared(TestCase):
        def test_other_thing(self):
            self.assertEqual(OtherThing.objects.create().pk, 1)
"""


def test_a_database_whose_migrations_write_to_another_is_made_in_every_pod(project):
    settings(project, SEVERAL)
    project.write("shop/migrations/0002_everywhere.py", EVERYWHERE)
    _, databases = warmed(project)
    assert [database["alias"] for database in databases] == ["default"]
    cold, kept = run(project), run(project, databases)
    assert is_warm(kept)["default"] and not is_warm(kept)["other"]
    assert dump(kept) == dump(cold)


EVERYWHERE = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.RunPython(
                lambda apps, editor: apps.get_model("shop.Item").objects.using("default").create(name="all")
            ),
        ]
"""


def test_a_database_that_cannot_be_made_is_not_kept(project):
    settings(project, SEVERAL + UNREACHABLE)
    project.write("shop/tests.py", DUMP.replace('"__all__"', '{"default", "other", "replica", "file"}'))
    _, databases = warmed(project)
    assert [database["alias"] for database in databases] == ["default", "other", "file"]


UNREACHABLE = """
    DATABASES["legacy"] = dict(DATABASES["default"], TEST={"NAME": "/no/such/folder/legacy.sqlite3"})
"""


def test_a_failing_migration_fails_the_pod_that_warms(project):
    project.append("shop/seed.py", "\ndef names():\n    raise LookupError('no seed')\n")
    with Pod(project) as pod:
        pod.hello(trace=True)
        assert pod.warm() is None
        failed = pod.one("failed")
        assert failed["phase"] == "databases"
        assert failed["failures"][0]["exception"] == "LookupError"
        assert pod.one("exited")["status"] == 1


def test_a_kept_database_that_cannot_be_used(project):
    _, (database,) = warmed(project)
    spoilt = {
        "vendor": "postgresql",
        "data": "no base64",
        "tables": None,
    }
    cold = dump(run(project))
    for field in ("vendor", "data"):
        pod = run(project, [dict(database, **{field: spoilt[field]})])
        assert is_warm(pod) == {"default": False} and dump(pod) == cold


def test_a_kept_database_of_a_runner_with_ways_of_its_own(project):
    project.write("conf/runner.py", OWN_WAYS)
    settings(project, 'TEST_RUNNER = "conf.runner.Runner"\n')
    _, databases = warmed(project)
    cold, kept = run(project), run(project, databases)
    assert is_warm(kept) == {"default": True}
    assert dump(kept) == dump(cold)


OWN_WAYS = """
    from django.core.management import call_command
    from django.db import connections
    from django.test.runner import DiscoverRunner

    class Runner(DiscoverRunner):
        def setup_databases(self, **kwargs):
            connection = connections["default"]
            old = connection.settings_dict["NAME"]
            connection.creation.create_test_db(0, True, True, False)
            call_command("migrate", verbosity=0)
            return [(connection, old, True)]
"""


def test_tests_that_make_databases_themselves_are_let_be(project):
    project.write("shop/tests.py", DUMP + MAKING)
    _, databases = warmed(project)
    pod = run(project, databases)
    assert pod.finished("test_made")["verdict"] == "passed"


MAKING = """
    from django.db import connection
    from django.test import SimpleTestCase

    class Making(SimpleTestCase):
        databases = {"default"}

        def test_made(self):
            self.assertNotIn("create_test_db", vars(connection.creation))
"""


@pytest.mark.parametrize(
    "steps, message",
    [
        (
            lambda pod: (pod.hello(), pod.send("warm")),
            "`warm` needs a `hello` whose `trace` is true",
        ),
        (
            lambda pod: (pod.hello(trace=True), pod.warm(), pod.send("run", grant=1, tests=None)),
            "'run' is not understood after `warm`",
        ),
        (
            lambda pod: (pod.hello(), pod.send("assign", app="shop", labels=[], tests=None, databases=[{}])),
            "a kept database has no alias, data, tables, vendor",
        ),
        (lambda pod: (pod.hello(), pod.send("match")), "'match' is not understood before `assign`"),
    ],
)
def test_what_is_said_out_of_turn(project, steps, message):
    with Pod(project) as pod:
        steps(pod)
        assert pod.until("failed")["failures"][0]["message"] == message
