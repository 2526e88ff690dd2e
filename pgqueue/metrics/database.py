"""What one process asks the database for all: how full queues are, who works, what holds it up. Cached, and bounded.

Asked once in five seconds however many ask, in a read-only transaction that sees one moment.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from pgqueue.database import address_of
from pgqueue.errors import DatabaseUnreachable
from pgqueue.metrics.families import numbers
from pgqueue.metrics.names import METRICS
from pgqueue.metrics.series import MOST
from pgqueue.printable import in_one_line
from pgqueue.store import execute, metrics, queues
from pgqueue.store.connection import open_connection
from pgqueue.store.looking import look
from pgqueue.store.metrics import Pace
from pgqueue.store.queues import QueueStats

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

# Seconds for which an answer is given again.
KEPT = 5.0
# Jobs that are counted before the rest is estimated.
COUNTED = 10_000
_STATES = ("ready", "scheduled", "running", "retrying", "dead")
_Numbers = dict[str, dict[tuple[str, ...], float]]


@dataclass(slots=True)
class _Answer:
    at: float = float("-inf")
    seconds: float = 0.0
    found: _Numbers = field(default_factory=dict)


class DatabaseNumbers:
    """Asks on a connection of its own, which it opens when it is first asked and after each loss."""

    def __init__(self, dsn: str, kept: float = KEPT) -> None:
        self._dsn = dsn
        self._kept = kept
        self._lock = threading.Lock()  # held while the database is asked: who comes meanwhile waits for that answer
        self._conn: psycopg.Connection[Any] | None = None
        self._answer = _Answer()
        self._errors = 0

    def collected(self) -> Iterable[Family]:
        """All that there is to tell; where the database cannot be asked, only that, and how often."""
        with self._lock:
            answer, errors = self._asked(), self._errors
        for name, values in answer.found.items():
            yield numbers(name, values)
        yield numbers("pgqueue_scrape_duration_seconds", {(): answer.seconds})
        yield numbers("pgqueue_scrape_errors_total", {(): errors})

    def found(self) -> Mapping[str, Mapping[tuple[str, ...], float]]:
        """The numbers by name and labels; none where the database cannot be asked."""
        with self._lock:
            return self._asked().found

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._let_go()

    def _asked(self) -> _Answer:
        if time.monotonic() - self._answer.at > self._kept:
            self._ask()
        return self._answer

    def _ask(self) -> None:
        began = time.monotonic()
        found: _Numbers = {}
        try:
            conn = self._conn = self._conn or open_connection(address_of(self._dsn), "exporter")
            for question in QUESTIONS:
                answer = look(conn, question)
                if answer is None:
                    self._errors += 1
                found |= answer or {}
        except (psycopg.Error, DatabaseUnreachable):
            self._errors += 1
            self._let_go()
        ended = time.monotonic()
        self._answer = _Answer(ended, ended - began, found)

    def _let_go(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            with suppress(psycopg.Error):
                conn.close()


def _told(conn: psycopg.Connection[Any]) -> _Numbers:
    found: _Numbers = {}
    for metric, label, value in execute(conn, metrics.numbers()):
        name = f"pgqueue_{metric}"
        labels = (_label(label),) if METRICS[name].labels else ()
        found.setdefault(name, {})[labels] = value
    return found


def _depths(conn: psycopg.Connection[Any]) -> _Numbers:
    names = execute(conn, queues.behind("", MOST + 1))
    # Of very many queues those that seem to be fullest.
    asked = None if len(names) <= MOST else execute(conn, queues.fullest(MOST))
    rows = execute(conn, queues.depths(asked, COUNTED)).queues
    paces = {pace.queue: pace for pace in execute(conn, metrics.paces([row.queue for row in rows]))}
    backlogs = {(_label(row.queue),): _backlog(row.ready, paces[row.queue]) for row in rows}
    return {name: dict(of(rows)) for name, of in _OF_QUEUES.items()} | {"pgqueue_queue_backlog_seconds": backlogs}


def _backlog(ready: int, pace: Pace) -> float:
    """Seconds until what is ready has begun, if nothing else comes; without end where nobody serves the queue."""
    if not ready:
        return 0.0
    return ready * (1.0 if pace.seconds is None else pace.seconds) / pace.slots if pace.slots else math.inf


# Each in a transaction of its own: where one takes too long, the others are told.
QUESTIONS = (_told, _depths)


def _by_state(rows: Iterable[QueueStats]) -> Iterator[tuple[tuple[str, ...], float]]:
    for row in rows:
        for state in _STATES:
            yield (_label(row.queue), state), getattr(row, state)


def _exact(rows: Iterable[QueueStats]) -> Iterator[tuple[tuple[str, ...], float]]:
    for row in rows:
        for state in _STATES:
            yield (_label(row.queue), state), float(state not in row.estimated)


def _of_each(value: Callable[[QueueStats], float]) -> Callable[[Iterable[QueueStats]], Any]:
    return lambda rows: (((_label(row.queue),), value(row)) for row in rows)


def _label(text: str) -> str:
    return in_one_line(text, 200)


_OF_QUEUES: dict[str, Callable[[Iterable[QueueStats]], Any]] = {
    "pgqueue_queue_jobs": _by_state,
    "pgqueue_queue_jobs_exact": _exact,
    "pgqueue_queue_oldest_ready_seconds": _of_each(
        lambda row: row.oldest_ready_age.total_seconds() if row.oldest_ready_age else 0.0
    ),
    "pgqueue_queue_paused": _of_each(lambda row: float(row.paused)),
    "pgqueue_dead_jobs": _of_each(lambda row: row.dead),
}
