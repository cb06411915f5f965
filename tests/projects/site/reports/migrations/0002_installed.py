"""The first line of the audit trail."""

from django.db import migrations


def add(apps, schema_editor):
    if schema_editor.connection.alias == "audit":
        apps.get_model("reports", "Entry").objects.using("audit").create(action="installed")


def remove(apps, schema_editor):
    if schema_editor.connection.alias == "audit":
        apps.get_model("reports", "Entry").objects.using("audit").filter(action="installed").delete()


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
