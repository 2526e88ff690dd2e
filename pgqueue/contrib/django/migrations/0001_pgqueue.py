"""The schema pgqueue, by pgqueue's own migrations; later releases bring it up to date after each `migrate`."""

from typing import Any, ClassVar

from django.db import migrations

from pgqueue.contrib.django.operations import MigrateSchema


class Migration(migrations.Migration):
    """Beside Django's own transaction: pgqueue's migrations begin and commit their own."""

    atomic = False
    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar[list[Any]] = [MigrateSchema()]
