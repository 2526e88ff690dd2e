"""From what wraps a connection to the connection: cursors, and what frameworks have of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import psycopg

# Answers the connection below something, or None where that is not of its kind.
Way = Callable[[Any], Any]


def unwrap_by(way: Way) -> None:
    """Have this way tried with everything that is passed as a connection and is none."""
    if way not in _ways:
        _ways.append(way)


def unwrapped(conn: Any) -> Any:
    """The connection below `conn`, or `conn` itself where no way leads further."""
    for way in _ways:
        if (below := way(conn)) is not None:
            return unwrapped(below)
    return conn


def _below_cursor(conn: Any) -> Any:
    if isinstance(conn, psycopg.Cursor | psycopg.AsyncCursor):
        return conn.connection
    psycopg2 = sys.modules.get("psycopg2.extensions")
    return conn.connection if psycopg2 is not None and isinstance(conn, psycopg2.cursor) else None


_ways: list[Way] = [_below_cursor]
