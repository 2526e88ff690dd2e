"""Where a connection leads: to which database, and how another connection is opened to it."""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg
from psycopg.conninfo import make_conninfo

# What the other connection says for itself, and what stands for others that libpq has read already.
_NOT_PASSED_ON = frozenset(
    {"application_name", "fallback_application_name", "client_encoding", "replication", "service", "servicefile"}
)


class Place(NamedTuple):
    """A database, as the connection's parameters name it."""

    host: str
    address: str
    port: str
    database: str

    def __str__(self) -> str:
        return f"{self.host or self.address or 'the local socket'}:{self.port}/{self.database}"


def place_of(conn: psycopg.BaseConnection[Any]) -> Place:
    """To which database it leads. Raises OperationalError if it is closed."""
    given = _parameters(conn)
    return Place(*(given.get(name, "") for name in ("host", "hostaddr", "port", "dbname")))


def dsn_of(conn: psycopg.BaseConnection[Any]) -> str:
    """How another connection is opened there, by the same user; the password stands in it."""
    given = _parameters(conn)
    return make_conninfo(**{name: value for name, value in given.items() if name not in _NOT_PASSED_ON})


def _parameters(conn: psycopg.BaseConnection[Any]) -> dict[str, str]:
    return {each.keyword.decode(): each.val.decode("utf-8", "surrogateescape") for each in conn.pgconn.info if each.val}
