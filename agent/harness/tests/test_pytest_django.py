"""The pytest adapter with pytest-django: its order, its databases, and those that are kept."""

import django
import pytest
from pod import Pod
from test_pytest import as_junit, named, run, serially, verdicts, write

SETTINGS = """
    SECRET_KEY = "not a secret"
    INSTALLED_APPS = ["shop"]
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""

MODELS = """
    from django.db import models

    class Item(models.Model):
        name = models.CharField(max_length=9)
"""

MIGRATION = """
    from django.db import migrations, models

    def fill(apps, editor):
        print("migrating")
        items = apps.get_model("shop.Item").objects.using(editor.connection.alias)
        items.create(name="first")

    class Migration(migrations.Migration):
        operations = [
            migrations.CreateModel(
                "Item",
                [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=9))],
            ),
            migrations.RunPython(fill),
        ]
"""

TESTS = """
    import pytest
    from django.test import SimpleTestCase, TestCase, TransactionTestCase, tag
    from shop.models import Item

    class FlushTest(TransactionTestCase):
        def test_flush(self):
            Item.objects.create(name="b")

    @pytest.mark.django_db(transaction=True)
    def test_function_that_flushes():
        Item.objects.create(name="c")

    @tag("fast")
    class RowTest(TestCase):
        def test_first(self):
            self.assertEqual(Item.objects.get().name, "first")

    class PlainTest(SimpleTestCase):
        def test_forbidden(self):
            Item.objects.count()

    class TestFunctions:
        def test_fixture(self, db):
            assert Item.objects.count() == 1

        @pytest.mark.django_db
        def test_mark(self, client, settings, django_assert_num_queries):
            with django_assert_num_queries(1):
                Item.objects.count()

    def test_without():
        with pytest.raises(RuntimeError, match="Database access not allowed"):
            Item.objects.count()
"""


@pytest.fixture
def site(bare):
    for folder in ("shop/migrations", "conf"):
        (bare.root / folder).mkdir(parents=True)
    for package in ("shop", "shop/migrations", "conf"):
        write(bare, package + "/__init__.py", "")
    bare.apps = [{"label": "shop", "path": "shop"}]
    write(bare, "conf/settings.py", SETTINGS)
    write(bare, "shop/models.py", MODELS)
    write(bare, "shop/migrations/0001_initial.py", MIGRATION)
    write(bare, "shop/test_items.py", TESTS)
    write(bare, "pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = conf.settings\npythonpath = .\n")
    return bare


def kept(site, **options):
    with Pod(site) as pod:
        pod.hello(adapter="pytest", trace=True, **options)
        manifest = pod.warm()["manifest"]
        pod.finish()
        assert pod.ended() == 0
    return manifest, pod.of("database")


def test_verdicts_and_order_are_those_of_pytest_django(site):
    pod = run(site)
    assert as_junit(pod) == serially(site)
    assert pod.one("booted")["django"] == django.get_version()
    order = [event["test"].rpartition("::")[2] for event in pod.of("finished")]
    flushing, plain = order[3:5], order[5:]
    assert set(order[:3]) == {"test_first", "test_fixture", "test_mark"}
    assert (set(flushing), set(plain)) == (
        {"test_flush", "test_function_that_flushes"},
        {"test_forbidden", "test_without"},
    )
    assert named(pod, "test_forbidden")["verdict"] == "failed"


def test_the_inventory_says_what_uses_a_database_and_how(site):
    with Pod(site) as pod:
        pod.hello(adapter="pytest")
        found = {one["id"].rpartition("::")[2]: one for one in pod.collect()["classes"]}
        pod.finish()
    assert {name: one["phase"] for name, one in found.items()} == {
        "shop/test_items.py": 1,
        "FlushTest": 1,
        "RowTest": 0,
        "PlainTest": 2,
        "TestFunctions": 0,
    }
    assert found["RowTest"]["tags"] == ["fast"] and found["RowTest"]["databases"] == ["default"]
    assert "django.test.testcases.TransactionTestCase" in found["RowTest"]["bases"]


def test_databases_are_set_up_before_the_first_test_and_none_where_none_is_used(site):
    pod = run(site)
    ready = pod.one("ready")
    (database,) = ready["databases"]
    assert (database["alias"], database["vendor"], database["warm"]) == ("default", "sqlite", False)
    assert "migrating" in ready["output"] and ready["seconds"] > 0
    write(site, "shop/test_items.py", "def test_a(): pass\n")
    assert run(site).one("ready")["databases"] == []


def test_databases_can_be_kept_for_other_pods(site):
    manifest, databases = kept(site)
    assert {"conf/settings.py", "shop/migrations/0001_initial.py", "shop/models.py"} <= set(manifest["files"])
    with Pod(site) as pod:
        assert pod.match(manifest) == 0
    pod = run(site, databases=databases)
    ready = pod.one("ready")
    assert ready["databases"][0]["warm"] and "migrating" not in ready["output"]
    with Pod(site) as other:
        assert other.match(manifest) == 0, "a pod leaves nothing behind that counts"
    assert as_junit(pod) == serially(site)
    write(site, "shop/migrations/0001_initial.py", MIGRATION.replace("first", "other"))
    with Pod(site) as pod:
        assert pod.match(manifest) is None


def test_what_a_project_adds_to_the_set_up_is_done_in_every_pod(site):
    write(
        site,
        "conftest.py",
        """
        import pytest

        @pytest.fixture(scope="session")
        def django_db_setup(django_db_setup, django_db_blocker):
            from shop.models import Item
            with django_db_blocker.unblock():
                Item.objects.create(name="second")
        """,
    )
    write(
        site,
        "shop/test_items.py",
        """
        import pytest
        from shop.models import Item

        @pytest.mark.django_db
        def test_both(): assert Item.objects.count() == 2
        """,
    )
    for databases in (None, kept(site)[1]):
        pod = run(site, databases=databases)
        assert list(verdicts(pod).values()) == ["passed"]
        assert pod.one("ready")["databases"][0]["warm"] is (databases is not None)


def test_options_of_pytest_django_count(site):
    write(site, "pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = conf.settings\npythonpath = .\naddopts = --nomigrations --reuse-db\n")
    pod = run(site)
    assert "migrating" not in pod.one("ready")["output"]
    assert named(pod, "test_first")["verdict"] == "failed", "only the migration makes that row"
    assert as_junit(pod) == serially(site)


def test_settings_may_be_named_by_the_suite(site):
    write(site, "pytest.ini", "[pytest]\npythonpath = .\n")
    assert as_junit(run(site, settings="conf.settings")) == serially(site, "--ds=conf.settings")


def test_a_set_up_that_fails_is_the_error_of_each_test_that_needs_it(site):
    write(site, "shop/migrations/0001_initial.py", "raise ValueError('no table')\n")
    pod = run(site)
    assert as_junit(pod) == serially(site)
    assert named(pod, "test_first")["verdict"] == named(pod, "test_fixture")["verdict"] == "error"
    assert named(pod, "test_without")["verdict"] == "passed"


def test_several_databases_are_set_up_as_their_tests_use_them(site):
    more = '    DATABASES["other"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}\n'
    write(site, "conf/settings.py", SETTINGS + more)
    write(
        site,
        "shop/test_items.py",
        """
        import pytest
        from shop.models import Item

        @pytest.mark.django_db(databases=["default", "other"])
        def test_both(): assert Item.objects.using("other").count() == 1
        """,
    )
    assert {database["alias"] for database in run(site).one("ready")["databases"]} == {"default", "other"}
    databases = kept(site)[1]
    assert {database["alias"] for database in databases} == {"default", "other"}
    pod = run(site, databases=databases)
    assert all(database["warm"] for database in pod.one("ready")["databases"])
    assert list(verdicts(pod).values()) == ["passed"]
