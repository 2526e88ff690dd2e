"""What a worker of all queues knows of their names, while others enqueue and notify."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from pgqueue.store import queues
from pgqueue.store.statement import Statement
from pgqueue.worker.claiming.ageing import Ageing
from pgqueue.worker.claiming.served import Served
from pgqueue.worker.selection import ALL
from tests.conftest import Connect
from tests.factories import enqueue

POLL = 60.0


def offered(served: Served, conn: psycopg.Connection[Any], now: float, *, searching: bool = False) -> set[str]:
    offer = served.offer(conn, now, 1, going=False, due=True, searching=searching)
    return {slot.queue for slot in offer.slots}


def test_what_is_heard_while_the_names_of_queues_are_asked_for_is_looked_at_next(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn, producer = connect(autocommit=True), connect(autocommit=True)
    served = Served(ALL, Ageing(None), poll=POLL, burst=False)
    enqueue(producer)
    assert offered(served, conn, 0.0) == {"default"}
    producer.execute("delete from pgqueue.jobs")
    asked = queues.first

    def first(limit: int) -> Statement[list[str]]:
        """The answer is from before the enqueue, and read after its notification was heard."""
        statement = asked(limit)

        def read(rows: Any) -> list[str]:
            enqueue(producer)
            assert served.hear("default", 1.0) == 0.0
            return statement.read(rows)

        return Statement(statement.sql, statement.params, read)

    with monkeypatch.context() as interleaved:
        interleaved.setattr(queues, "first", first)
        assert offered(served, conn, 1.0, searching=True) == set()
    assert offered(served, conn, 1.0) == {"default"}
