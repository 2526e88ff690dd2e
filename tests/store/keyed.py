"""Short ways to enqueue a job that says more of its unique key, alone or in a batch."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from pgqueue.enqueued import Enqueued
from pgqueue.job import Claim, NewJob
from pgqueue.store import enqueueing, execute
from tests.factories import HOUR, TARGET, Conn, fail

UNTIL_START: dict[str, Any] = {"unique_key": "k", "unique_until": "start"}
WAYS = pytest.mark.parametrize("ask", ["one", "many"])


def one(conn: Conn, args: Any = None, **options: Any) -> Enqueued:
    """What a single call answers."""
    return execute(conn, enqueueing.enqueue(NewJob(TARGET, args, **options)))


def by_any(ask: str, conn: Conn, args: Any = None, **options: Any) -> UUID:
    """The id that one call answers, or a batch in which others stand beside it."""
    if ask == "one":
        return one(conn, args, **options).id
    before = NewJob(TARGET, queue="other", delay=HOUR)
    behind = NewJob(TARGET, queue="other", unique_key="another", delay=HOUR)
    return execute(conn, enqueueing.enqueue_many([before, NewJob(TARGET, args, **options), behind]))[1]


def bury(conn: Conn, taken: Claim) -> None:
    """Let a claim end its job without success."""
    fail(conn, taken, None)
