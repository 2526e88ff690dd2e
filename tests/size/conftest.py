"""`looked_at`: a database with a month of history in which each statement's plan goes to the server's log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from bench.history import fill
from bench.month.shape import Month, milliseconds
from tests.postgres import Databases
from tests.store.plans import Plan, read_logged

SMALL, TWENTIETH = 0.002, 0.05
_PLANS = (
    "session_preload_libraries = 'auto_explain'",
    "auto_explain.log_min_duration = 0",
    "auto_explain.log_analyze = on",
    "auto_explain.log_timing = off",
    "auto_explain.log_buffers = on",
    "auto_explain.log_format = json",
    "auto_explain.log_nested_statements = on",
)


@contextmanager
def a_month(databases: Databases, scale: float, *, analysed: bool) -> Iterator[str]:
    """The DSN of a database with one; 0 is an empty one."""
    name = databases.create()
    dsn = databases.server.dsn(name, tcp=True)
    if scale:
        fill(dsn, Month(milliseconds(datetime.now(UTC)), scale))
    with psycopg.connect(dsn, autocommit=True) as conn:
        if analysed:
            conn.execute("vacuum (analyze)")
        for setting in _PLANS:
            conn.execute(sql.SQL("alter database {} set ").format(sql.Identifier(name)) + sql.SQL(setting))
    yield dsn
    databases.drop(name)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((0, False), id="empty", marks=pytest.mark.soak),
        pytest.param((SMALL, False), id="small, never analysed"),
        pytest.param((TWENTIETH, False), id="a twentieth, never analysed", marks=pytest.mark.soak),
        pytest.param((TWENTIETH, True), id="a twentieth, analysed", marks=pytest.mark.soak),
    ],
)
def looked_at(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    scale, analysed = request.param
    with a_month(databases, scale, analysed=analysed) as dsn:
        yield dsn


@pytest.fixture
def plans_of_sessions(databases: Databases) -> Callable[[Callable[[], object]], list[Plan]]:
    """Do something, and answer the plans of all that any session was asked meanwhile."""
    log = databases.server.logfile

    def plans(act: Callable[[], object]) -> list[Plan]:
        before = log.stat().st_size
        act()
        with log.open("rb") as file:
            file.seek(before)
            return read_logged(file.read().decode(errors="replace"))

    return plans
