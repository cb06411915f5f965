"""The table, and the product that every test may count on."""

from django.db import migrations, models


def stock(apps, editor):
    """One product."""
    apps.get_model("shop.Product").objects.create(name="tea")


class Migration(migrations.Migration):
    """The first one."""

    initial = True
    operations = [
        migrations.CreateModel(
            "Product",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=40)),
            ],
        ),
        migrations.RunPython(stock, migrations.RunPython.noop),
    ]
