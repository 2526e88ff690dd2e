"""`db`: a connection on which each statement commits. `examine`: the verdict of one check on the test's database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from pgqueue.doctor import CHECKS, Bounds, Verdict, diagnose
from tests.conftest import Connect

Examine = Callable[..., Verdict]


@pytest.fixture
def db(connect: Connect) -> psycopg.Connection[Any]:
    return connect(autocommit=True)


@pytest.fixture
def examine(dsn: str) -> Examine:
    """Ask one check: `examine("horizon", horizon=timedelta(0))`."""

    def examine(name: str, at: str = dsn, **bounds: Any) -> Verdict:
        (verdict,) = diagnose(at, [check for check in CHECKS if check.name == name], Bounds(**bounds))
        assert verdict.check == name
        return verdict

    return examine


def cure(conn: psycopg.Connection[Any], verdict: Verdict) -> None:
    """Execute what the verdict says, one statement after the other."""
    assert verdict.sql, verdict
    for statement in verdict.sql:
        conn.execute(statement.encode())
