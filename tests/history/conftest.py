"""`partitioned`: a database whose history has partitions, of a template that is made once; `db`: a connection to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pgqueue.partitioning import partition_history
from tests.postgres import Databases


@pytest.fixture(scope="session")
def partitioned_template(databases: Databases) -> Iterator[str]:
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    partition_history(dsn)
    with psycopg.connect(dsn) as conn:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        begin_at(conn, "attempts", today - timedelta(days=30), [today - timedelta(days=days) for days in range(10, 30)])
        months = sorted({(today - timedelta(days=days)).replace(day=1) for days in range(150, 230)})
        begin_at(conn, "dead_jobs", months[0], months[1:])
    yield name
    databases.drop(name)


def begin_at(conn: psycopg.Connection[Any], table: str, begins: datetime, later: Sequence[datetime]) -> None:
    """Spans from earlier on, none of which was dropped yet: as where partitions have been for long."""
    row = conn.execute("select pgqueue.uuid7_floor(%s)", [begins]).fetchone()
    assert row is not None
    conn.execute(f"alter table pgqueue.{table} detach partition pgqueue.{table}_past")
    conn.execute(
        f"alter table pgqueue.{table} attach partition pgqueue.{table}_past for values from (minvalue) to ('{row[0]}')"
    )
    for each in (begins, *later):
        conn.execute("select pgqueue.make_span(%s, %s)", [table, each])


@pytest.fixture
def partitioned(databases: Databases, partitioned_template: str) -> Iterator[str]:
    """The DSN of a fresh database with partitions."""
    name = databases.create(partitioned_template)
    yield databases.server.dsn(name, tcp=True)
    databases.drop(name)


@pytest.fixture
def db(partitioned: str) -> Iterator[psycopg.Connection[Any]]:
    """Each statement commits, as the worker's own do."""
    with psycopg.connect(partitioned, autocommit=True) as conn:
        yield conn
