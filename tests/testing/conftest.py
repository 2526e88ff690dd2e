"""The tables of the tasks here; and a connection whose transaction is the test's."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest


@pytest.fixture(autouse=True)
def _charges(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as own:
        own.execute("create table charges (order_id int)")


def charges(conn: psycopg.Connection[Any]) -> list[int]:
    """What was charged, as the connection sees it."""
    return [row[0] for row in conn.execute("select order_id from charges order by 1")]
