"""The schema in the databases of a Django project: made and brought up to date by pgqueue's own migrations."""

from __future__ import annotations

from django.db import connections, router

from pgqueue.contrib.django.dsn import conninfo_of

LABEL = "pgqueue"


def migrate_alias(alias: str) -> bool:
    """Bring the schema of an alias up to date, on a connection of its own; whether something had to change.

    Nothing is done where the database is not PostgreSQL, or a router says that the app does not migrate there. Raises
    SchemaError, DatabaseUnreachable.
    """
    wrapper = connections[alias]
    if wrapper.vendor != "postgresql" or not router.allow_migrate(alias, LABEL):
        return False
    # Alembic takes long to import, and a process that migrates nothing does not need it.
    from pgqueue.migrate import migrate

    return migrate(conninfo_of(wrapper))
