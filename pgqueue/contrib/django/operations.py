"""The one operation of Django's migration."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

from pgqueue.contrib.django.schema import LABEL, migrate_alias


class MigrateSchema(Operation):
    """Create the schema pgqueue, or bring it up to date, as `pgqueue migrate` does."""

    # What would undo it deletes jobs: `drop schema pgqueue cascade` is for people to type.
    reversible = False

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing: Django keeps no state of these tables."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Migrate; for `sqlmigrate` say what that would run."""
        if not schema_editor.collect_sql:
            migrate_alias(schema_editor.connection.alias)
            return
        from pgqueue.migrate import sql

        schema_editor.collected_sql.append(sql())

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Never: see `reversible`."""
        raise AssertionError(f"{LABEL} is not reversible")

    def describe(self) -> str:
        """As `migrate --plan` prints it."""
        return "Create the schema pgqueue, or bring it up to date"
