"""What the jobs of the other queues call here."""

from __future__ import annotations

from typing import Any

import psycopg

import pgqueue


@pgqueue.task(transactional=True)
def send(conn: psycopg.Connection[Any], order_id: int, kind: str = "plain") -> None:
    conn.execute("insert into ran values (%s, 'pgqueue')", [order_id])


@pgqueue.task(queue="pictures", max_attempts=3)
def draw(path: str) -> None: ...
