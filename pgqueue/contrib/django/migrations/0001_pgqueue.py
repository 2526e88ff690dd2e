"""The schema pgqueue, by pgqueue's own migrations; later releases bring it up to date after each `migrate`."""

from typing import Any, ClassVar

from django.db import migrations, models

from pgqueue.contrib.django.operations import MigrateSchema


class Migration(migrations.Migration):
    """Beside Django's own transaction: pgqueue's migrations begin and commit their own."""

    atomic = False
    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar[list[Any]] = [
        MigrateSchema(),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("queue", models.TextField()),
                ("target", models.TextField(verbose_name="task")),
                ("state", models.TextField()),
                ("priority", models.SmallIntegerField(null=True)),
                ("attempt", models.SmallIntegerField()),
                ("max_attempts", models.SmallIntegerField(null=True)),
                ("created_at", models.DateTimeField(null=True)),
                ("run_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": '"pgqueue"."job"', "managed": False, "default_permissions": ("view",)},
        ),
    ]
