"""Databases of forked children: made once in their pod, a copy for each child, and none left behind."""

import time

import pytest
from kept import settings
from pod import PATIENCE, Pod
from server import MariaDB, Server

TOKEN = "0123456789ab"
OWN, TEMPLATE = "test_mt%s_shop" % TOKEN, "test_mt%s_kept_shop" % TOKEN

MODELS = """
    from django.db import models

    class Kind(models.Model):
        name = models.CharField(max_length=9)

    class Item(models.Model):
        kind = models.ForeignKey(Kind, models.CASCADE)
        name = models.CharField(max_length=9, unique=True)
"""

# Writes a line to a file outside of the project, each time it is run.
MIGRATION = """
    import os
    from django.db import migrations, models

    def fill(apps, editor):
        with open(os.environ["MIGRATED"], "a") as file:
            file.write("%d %s\\n" % (os.getpid(), editor.connection.alias))
        kind = apps.get_model("shop.Kind").objects.using(editor.connection.alias).create(name="fruit")
        apps.get_model("shop.Item").objects.using(editor.connection.alias).create(name="apple", kind_id=kind.id)

    class Migration(migrations.Migration):
        initial = True
        operations = [
            migrations.CreateModel(
                "Kind",
                [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=9))],
            ),
            migrations.CreateModel(
                "Item",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("name", models.CharField(max_length=9, unique=True)),
                    ("kind", models.ForeignKey("shop.Kind", models.CASCADE)),
                ],
            ),
            migrations.RunPython(fill),
        ]
"""

TESTS = """
    from django.db import IntegrityError, connection, transaction
    from django.test import TestCase, TransactionTestCase
    from shop.models import Item, Kind

    class Row(TestCase):
        def test_a_rows_of_migrations_are_there(self):
            print(connection.settings_dict["NAME"], [item.name for item in Item.objects.all()])

        def test_b_constraints_and_numbers_go_on(self):
            kind = Kind.objects.get()
            self.assertEqual(Item.objects.create(name="pear", kind=kind).pk, Item.objects.get(name="apple").pk + 1)
            for fields in ({"name": "apple", "kind": kind}, {"name": "plum", "kind_id": 77}):
                with self.assertRaises(IntegrityError), transaction.atomic():
                    Item.objects.create(**fields)
                    connection.check_constraints()

    class Flush(TransactionTestCase):
        serialized_rollback = True

        def test_c_leaves_a_row(self):
            Item.objects.create(name="mine", kind=Kind.objects.get())
"""


@pytest.fixture
def shop(project, tmp_path_factory):
    """Two apps that use one database, and what says how often it was migrated."""
    project.add_app("blog")
    project.write("shop/models.py", MODELS)
    project.write("shop/migrations/0001_initial.py", MIGRATION)
    for app in ("shop", "blog"):
        project.write(app + "/tests.py", TESTS)
    project.log = tmp_path_factory.mktemp("log") / "migrated"
    project.log.touch()
    return project


def forked(project, **environment):
    return Pod(project, dict(environment, MIGRATED=str(project.log)))


def migrated(project):
    return [line.split()[1] for line in project.log.read_text().splitlines()]


def child(pod, app, **options):
    """All of an app in the pod's next child: its events."""
    begin = len(pod.events)
    assert pod.assign(app, [app], **options), pod.events[begin:]
    pod.run()
    pod.finish()
    assert pod.next()["type"] == "idle"
    return pod.events[begin:]


def verified(events):
    assert {event["verdict"] for event in events if event["type"] == "finished"} == {"passed"}, events
    return events


def seen(events):
    (first,) = [event for event in verified(events) if event["type"] == "finished" and "test_a" in event["test"]]
    return first["output"].strip()


def is_warm(events):
    (ready,) = [event for event in events if event["type"] == "ready"]
    return [database["warm"] for database in ready["databases"]]


def leave(pod):
    """As the agent does where no child is to come."""
    pod.send_line('{"type":"stop"}')
    pod.process.stdin.close()
    pod.process.wait(PATIENCE)


@pytest.mark.parametrize("name", [None, "test.sqlite3"])
def test_a_sqlite_database_is_migrated_once_and_no_child_sees_what_another_wrote(shop, name):
    settings(shop, "DATABASES['default']['TEST'] = {'NAME': %r}\n" % name)
    with forked(shop) as pod:
        pod.hello(isolation="fork")
        for app in ("shop", "blog", "shop"):
            events = child(pod, app)
            assert seen(events).endswith("['apple']")
            assert is_warm(events) == [True]
            assert not (shop.root / "test.sqlite3").exists()
    assert migrated(shop) == ["default"]


@pytest.fixture(scope="module", params=[Server, MariaDB])
def server(request):
    server = request.param()
    yield server
    server.stop()


@pytest.fixture
def shared(shop, server):
    shop.write("conf/settings.py", server.settings)
    settings(shop, "INSTALLED_APPS += ['blog']\n")
    yield shop
    server.is_empty()


def test_on_a_shared_server_it_is_migrated_once_and_each_child_has_a_copy(shared, server):
    with forked(shared) as pod:
        pod.hello(isolation="fork", db_token=TOKEN)
        for app in ("shop", "blog", "shop"):
            events = child(pod, app)
            assert seen(events) == "%s ['apple']" % OWN
            assert is_warm(events) == [True]
            assert server.names() == [TEMPLATE]
        leave(pod)
        assert server.names() == []
    assert migrated(shared) == ["default"]


def test_two_pods_on_a_shared_server_have_a_template_each(shared, server):
    with forked(shared) as one, forked(shared) as other:
        for pod, token in ((one, TOKEN), (other, "f" * 12)):
            pod.hello(isolation="fork", db_token=token, db_prefix="ci")
            assert seen(child(pod, "shop")) == "ci_mt%s_shop ['apple']" % token
        assert server.names() == ["ci_mt%s_kept_shop" % token for token in (TOKEN, "f" * 12)]
        assert seen(child(one, "blog")).startswith("ci_mt" + TOKEN), "the other one removed nothing of it"
    assert migrated(shared) == ["default"] * 2


def test_on_a_pods_own_server_copies_have_the_names_of_clones(shared, server):
    with forked(shared) as pod:
        pod.hello(isolation="fork", db_prefix="ci")
        for app in ("shop", "blog"):
            assert seen(child(pod, app)) == "ci_shop_1 ['apple']"
            assert server.names() == ["ci_shop"]
    assert migrated(shared) == ["default"]
    server.query("DROP DATABASE ci_shop")


EMPTY = """
    from django.test import TestCase

    class One(TestCase):
        def test_a(self):
            pass
"""

CRASH = """
    import os, time
    from django.test import TestCase

    class Risky(TestCase):
        def test_risky(self):
            %s
"""


ENDS = ["os._exit(0)", "os.kill(os.getpid(), 9)", "os.kill(os.getppid(), 9); time.sleep(600)", "time.sleep(600)"]


@pytest.mark.parametrize("how", ENDS)
def test_a_crash_leaves_nothing(shared, server, how):
    shared.write("blog/tests.py", CRASH % how)
    with forked(shared) as pod:
        pod.hello(isolation="fork", db_token=TOKEN, test_timeout=2.0)
        child(pod, "shop")
        pod.assign("blog", ["blog"])
        assert pod.run() is None
        assert pod.events[-1]["type"] == "exited"
        pod.process.wait(PATIENCE)
        assert pod.process.stderr.read() == b""
    server.is_empty()


def test_what_a_killed_pod_left_the_next_one_removes(shared, server):
    with forked(shared) as killed:
        killed.hello(isolation="fork", db_token=TOKEN)
        child(killed, "shop")
        killed.process.kill()
        killed.process.wait(PATIENCE)
    assert server.names() == [TEMPLATE]
    wait_for_locks_to_go(server)
    with forked(shared) as following:
        following.hello(isolation="fork", db_token="f" * 12)
        child(following, "shop")
        assert server.names() == [TEMPLATE.replace(TOKEN, "f" * 12)]
        leave(following)


def wait_for_locks_to_go(server):
    """A server takes a moment to notice that its clients are gone."""
    query = {
        "postgresql": "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'",
        "mysql": "SELECT 1 FROM information_schema.processlist WHERE id <> connection_id() AND user = 'root'",
    }[server.engine]
    deadline = time.monotonic() + PATIENCE
    while server.query(query):
        assert time.monotonic() < deadline
        time.sleep(0.05)


VIEW = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.RunSQL("CREATE VIEW shop_names AS SELECT name FROM shop_item"),
            migrations.RunSQL(
                "ALTER TABLE shop_item ADD COLUMN twice varchar(20) GENERATED ALWAYS AS (%s) STORED"
            ),
        ]
"""

TWICE = {"postgresql": "name || name", "mysql": "concat(name, name)"}

LOOK = """
    from django.db import connection
    from django.test import TestCase

    class Look(TestCase):
        def test_a_look(self):
            with connection.cursor() as cursor:
                cursor.execute("SELECT twice, %s FROM shop_item")
                print(cursor.fetchall()[0])
"""


def test_what_cannot_be_copied_with_the_tools_at_hand_is_made_again(shared, server):
    """A view is copied by PostgreSQL, and for MariaDB by a program that need not be there."""
    shared.write("shop/migrations/0002_view.py", VIEW % TWICE[server.engine])
    shared.write("blog/tests.py", LOOK % "(SELECT COUNT(*) FROM shop_names)")
    with forked(shared, PATH="/nonexistent") as pod:
        pod.hello(isolation="fork", db_token=TOKEN)
        for _ in range(2):
            events = child(pod, "blog")
            assert seen(events) == "('appleapple', 1)"
            assert is_warm(events) == [server.engine == "postgresql"]
        leave(pod)


def test_a_column_that_the_server_computes_is_copied(shared, server):
    source = VIEW.replace("CREATE VIEW shop_names AS ", "")
    shared.write("shop/migrations/0002_view.py", source % TWICE[server.engine])
    shared.write("blog/tests.py", LOOK % "1")
    with forked(shared) as pod:
        pod.hello(isolation="fork", db_token=TOKEN)
        events = child(pod, "blog")
        assert (seen(events), is_warm(events)) == ("('appleapple', 1)", [True])
        leave(pod)


def test_apps_without_databases_have_none_made(shop):
    shop.write("blog/tests.py", EMPTY.replace("TestCase", "SimpleTestCase"))
    with forked(shop) as pod:
        pod.hello(isolation="fork")
        child(pod, "blog")
        assert migrated(shop) == []
        child(pod, "shop")
        child(pod, "blog")
        assert migrated(shop) == ["default"]


def test_what_is_kept_elsewhere_is_not_made_again(shop):
    """The agent may know of one database, and of the other only that it was not kept."""
    settings(shop, 'DATABASES["other"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}\n')
    for app in ("shop", "blog"):
        shop.write(app + "/tests.py", TESTS.replace("TestCase):\n", 'TestCase):\n        databases = "__all__"\n'))
    with forked(shop) as warming:
        warming.hello(trace=True)
        warming.warm()
        warming.finish()
    kept = [database for database in warming.of("database") if database["alias"] == "other"]
    shop.log.write_text("")
    with forked(shop) as pod:
        pod.hello(isolation="fork")
        for app in ("shop", "blog"):
            assert is_warm(child(pod, app, databases=kept)) == [True, True]
    assert migrated(shop) == ["default"]


def test_several_databases_are_made_together(shop):
    settings(shop, 'DATABASES["other"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}\n')
    settings(shop, 'DATABASES["replica"] = dict(DATABASES["default"], TEST={"MIRROR": "default"})\n')
    everywhere = TESTS.replace("TestCase):\n", 'TestCase):\n        databases = "__all__"\n')
    shop.write("blog/tests.py", everywhere)
    with forked(shop) as pod:
        pod.hello(isolation="fork")
        assert is_warm(child(pod, "shop")) == [True]
        assert is_warm(child(pod, "blog")) == [True, True]
    assert sorted(migrated(shop)) == ["default", "other"]


def test_migrations_that_end_their_process_end_no_child_that_needs_them_not(shop):
    """The keeper is gone; each child does then what a pod of its own does."""
    dying = MIGRATION.replace("kind = apps", "os.stat(file.name).st_size > 20 or os._exit(3); kind = apps", 1)
    shop.write("shop/migrations/0001_initial.py", dying)
    with forked(shop) as pod:
        pod.hello(isolation="fork")
        for app in ("shop", "blog"):
            events = child(pod, app)
            assert seen(events).endswith("['apple']")
            assert is_warm(events) == [False]
    assert migrated(shop) == ["default"] * 3, "once by the keeper, in vain"


def test_migrations_that_fail_are_told_as_in_a_pod_of_its_own(shop):
    shop.write("shop/migrations/0001_initial.py", "raise RuntimeError('no')\n")
    with forked(shop) as whole:
        whole.whole()
    with forked(shop) as pod:
        pod.whole(isolation="fork")
        assert pod.ended() == 1
    told = [(pod.one("failed")["phase"], pod.one("failed")["failures"][0]["message"]) for pod in (whole, pod)]
    assert told == [("databases", "no")] * 2


def test_models_of_test_modules_have_their_tables(shop):
    shop.write("blog/models.py", "")
    shop.write(
        "blog/tests.py",
        """
        from django.db import models
        from django.test import TestCase

        class Note(models.Model):
            class Meta:
                app_label = "blog"

        class One(TestCase):
            def test_a(self):
                self.assertEqual(Note.objects.count(), 0)
        """,
    )
    with forked(shop) as pod:
        pod.hello(isolation="fork")
        assert is_warm(verified(child(pod, "blog"))) == [False]
        assert is_warm(verified(child(pod, "shop"))) == [True]


def test_a_runner_that_makes_no_databases_is_left_alone(shop):
    shop.write(
        "conf/runner.py",
        """
        from django.test.runner import DiscoverRunner

        class Runner(DiscoverRunner):
            def setup_databases(self, **kwargs):
                return []

            def teardown_databases(self, *args, **kwargs):
                pass
        """,
    )
    settings(shop, 'TEST_RUNNER = "conf.runner.Runner"\n')
    for app in ("shop", "blog"):
        shop.write(app + "/tests.py", EMPTY)
    with forked(shop) as pod:
        pod.hello(isolation="fork")
        for app in ("shop", "blog"):
            assert is_warm(child(pod, app)) == []


def test_the_process_that_forks_holds_no_connection_and_has_imported_no_migration(shop):
    shop.write(
        "blog/tests.py",
        """
        import sys
        from django.test import SimpleTestCase

        class Clean(SimpleTestCase):
            def test_a(self):
                print([name for name in sys.modules if ".migrations.0" in name])
        """,
    )
    with forked(shop) as pod:
        pod.hello(isolation="fork")
        child(pod, "shop")
        assert seen(child(pod, "blog")) == "[]"
