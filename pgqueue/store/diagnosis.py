"""What an error of the database means to a human: one of our errors, which says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from pgqueue.errors import DatabaseUnreachable, PgqueueError, SchemaError

_CURES = {
    "42501": "grant it to this role, or connect as the owner of schema pgqueue",
    "25006": "this server is a standby or read-only; name the primary in the DSN",
    "53100": "make room on the server's disk",
    "55P03": "somebody holds a lock; look for long transactions in pg_stat_activity",
    "57014": "a timeout of the server or of this role ended it, or an administrator",
}


@contextmanager
def diagnosed() -> Iterator[None]:
    """Turn what psycopg raises in the block, itself or through SQLAlchemy, into errors of ours."""
    try:
        yield
    except Exception as error:
        cause = getattr(error, "orig", error)
        if not isinstance(cause, psycopg.Error):
            raise
        raise diagnosis(cause) from error


def diagnosis(error: psycopg.Error) -> PgqueueError:
    """The error of ours that says what this one of the database means."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    state = error.sqlstate
    missing = errors.UndefinedTable | errors.UndefinedFunction | errors.UndefinedColumn | errors.InvalidSchemaName
    if isinstance(error, missing):
        return SchemaError(f"the schema pgqueue is missing or too old ({said}); run `pgqueue migrate`")
    if isinstance(error, psycopg.OperationalError) and (state is None or state.startswith(("08", "57P"))):
        return DatabaseUnreachable(f"the connection to the database broke: {said}; run the command again")
    cure = _CURES.get(state or "")
    return PgqueueError(f"the database refused: {said}{f'; {cure}' if cure else ''}")
