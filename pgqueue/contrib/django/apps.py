"""The app: what Django does with pgqueue when it is set up, and when it migrates."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.core import checks
from django.db.models.signals import post_migrate

from pgqueue.contrib.django.checks import check_schema, check_settings
from pgqueue.contrib.django.connection import below
from pgqueue.contrib.django.permissions import make_permissions
from pgqueue.contrib.django.schema import migrate_alias
from pgqueue.store.unwrapping import unwrap_by


class PgqueueConfig(AppConfig):
    """pgqueue as an app of Django's."""

    name = "pgqueue.contrib.django"
    label = "pgqueue"
    verbose_name = "pgqueue"

    def ready(self) -> None:
        """Take connections of Django's, check the settings, and keep the schema up to date with each `migrate`."""
        unwrap_by(below)
        checks.register(check_settings)
        checks.register(check_schema, checks.Tags.database)
        post_migrate.connect(_follow_migrate, sender=self)


def _follow_migrate(using: str, **said: Any) -> None:
    """Migrate to this release's schema: Django's own migration is applied once, by whichever release came first.

    `flush` sends the same signal, and has no plan: it empties tables, and the tests of others call it a thousand times.
    """
    if "plan" in said:
        migrate_alias(using)
    make_permissions(using, said.get("apps", apps))
