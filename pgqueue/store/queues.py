"""Queues: their names, their settings, and how full they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pgqueue.store.statement import Statement, nothing, query


@dataclass(frozen=True, slots=True)
class QueueStats:
    """One row of the view `pgqueue.queue_stats`: jobs by state, and how long the oldest ready one has waited."""

    queue: str
    ready: int
    scheduled: int
    running: int
    retrying: int
    dead: int
    oldest_ready_age: timedelta | None
    paused: bool


def names() -> Statement[list[str]]:
    """The names of all queues that have jobs. One index probe per queue."""
    return Statement("select pgqueue.queue_names()", (), lambda rows: [row[0] for row in rows])


def stats() -> Statement[list[QueueStats]]:
    """How full every queue is: exact, so it reads every row of `jobs`."""
    return Statement(query("queue_stats"), (), lambda rows: [QueueStats(*row) for row in rows])


def sample() -> Statement[list[QueueStats]]:
    """How full every queue is, estimated from a sample: cheap, however many jobs there are; no ages."""
    return Statement(query("queue_sample"), (), lambda rows: [QueueStats(*row) for row in rows])


def set_paused(queue: str, *, paused: bool) -> Statement[None]:
    """Stop or resume claims from a queue; what runs goes on, and idle workers hear of a resumption."""
    sql = """
    with changed as (
      insert into pgqueue.queues (name, paused) values ($1::text, $2::boolean)
      on conflict (name) do update set paused = excluded.paused
      returning name, paused
    )
    select pgqueue.wake(changed.name) from changed where not changed.paused
    """
    return Statement(sql, (queue, paused), nothing)
