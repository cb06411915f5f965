"""The shelves that every library has."""

from django.db import migrations

from catalog.shelves import SHELVES


def fill(apps, schema_editor):
    if schema_editor.connection.alias != "default":
        return
    shelf = apps.get_model("catalog", "Shelf")
    for name in SHELVES:
        shelf.objects.create(name=name)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
