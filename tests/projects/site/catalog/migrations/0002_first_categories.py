"""The categories every shop starts with: data that only migrating brings."""

from django.db import migrations

CATEGORIES = [("books", "Books"), ("magazines", "Magazines"), ("music", "Music")]


def add(apps, schema_editor):
    category = apps.get_model("catalog", "Category")
    category.objects.using(schema_editor.connection.alias).bulk_create(
        category(slug=slug, name=name) for slug, name in CATEGORIES
    )


def remove(apps, schema_editor):
    category = apps.get_model("catalog", "Category")
    category.objects.using(schema_editor.connection.alias).filter(slug__in=[slug for slug, _ in CATEGORIES]).delete()


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
