"""From an alias of DATABASES to a DSN: for workers, commands and migrations, which open connections of their own."""

from __future__ import annotations

from typing import Any

from django.db import connections
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from pgqueue.errors import UsageError


def dsn_of(alias: str) -> str:
    """The DSN of an alias as it is set now: in tests that of the test database. Raises UsageError.

    What Django alone understands of its OPTIONS (pool, isolation_level ...) is left out; `assume_role` is kept.
    """
    if alias not in connections:
        raise UsageError(f"DATABASES has no {alias!r}; it has {', '.join(connections)}")
    wrapper = connections[alias]
    if wrapper.vendor != "postgresql":
        raise UsageError(f"the database {alias!r} is {wrapper.display_name}, and jobs live in PostgreSQL")
    return conninfo_of(wrapper)


def conninfo_of(wrapper: Any) -> str:
    """The same of a connection of Django's to PostgreSQL."""
    params = wrapper.get_connection_params()
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    given = {name: value for name, value in params.items() if name in known and value is not None}
    role = wrapper.settings_dict["OPTIONS"].get("assume_role")
    if role:
        given["options"] = f"{given.get('options', '')} -c role={_escaped(role)}".strip()
    return make_conninfo(**given)


def _escaped(value: str) -> str:
    """As a word of libpq's `options`."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
