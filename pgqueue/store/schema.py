"""Which version of the schema this code works with, and whether the database has it."""

from __future__ import annotations

from pgqueue.errors import SchemaError
from pgqueue.store.connection import SyncConnection
from pgqueue.store.statement import Statement, execute, only_value

# The oldest revision with which this code works; newer ones are made to work with it for one release.
OLDEST_REVISION = "0002"


def require_schema(conn: SyncConnection) -> None:
    """Raise SchemaError unless the database has a schema that this code can work with."""
    if not execute(conn, _EXISTS):
        raise SchemaError("this database has no schema pgqueue yet; run `pgqueue migrate` on it")
    found = execute(conn, revision())
    if found is None or found < OLDEST_REVISION:
        stands = "no revision" if found is None else f"revision {found}"
        raise SchemaError(
            f"the schema pgqueue is at {stands}, this code needs {OLDEST_REVISION}; run `pgqueue migrate`"
        )


def revision() -> Statement[str | None]:
    """The revision of the schema that the database has."""
    return Statement("select pg_catalog.max(version_num) from pgqueue.alembic_version", (), only_value)


_EXISTS: Statement[bool] = Statement(
    "select pg_catalog.to_regclass('pgqueue.alembic_version') is not null", (), only_value
)
