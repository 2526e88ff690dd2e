"""`db`: a connection on which each statement commits, as the worker's own do. `plans`: what a statement did inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.conftest import Connect
from tests.factories import Conn, enlist, step
from tests.store.plans import Plan, plans_of


@pytest.fixture
def db(connect: Connect) -> psycopg.Connection[Any]:
    return connect(autocommit=True)


@pytest.fixture
def plans() -> Callable[[Conn, Callable[[], Any]], list[Plan]]:
    """Run something, and answer the plans of all statements inside of it."""

    def plans(conn: Conn, act: Callable[[], Any]) -> list[Plan]:
        _warm_up(conn)
        return plans_of(conn, act)

    return plans


def _warm_up(conn: Conn) -> None:
    """Let the session read the catalogs, so that only the statement itself is counted."""
    worker = enlist(conn)
    step(conn, worker, [], 1, "nothing here")
