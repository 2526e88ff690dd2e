"""One question to each of several databases, side by side: one that does not answer costs its own answer alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

import psycopg

from pgqueue.database import address_of
from pgqueue.embedded import is_embedded
from pgqueue.errors import DatabaseUnreachable, PgqueueError
from pgqueue.server_details import without_details
from pgqueue.store.connection import open_connection
from pgqueue.store.diagnosis import diagnosed
from pgqueue.store.dsn import place_of, read
from pgqueue.store.schema import require_schema
from pgqueue.store.session import take_any_text

T = TypeVar("T")

# So many databases are asked at a time, and each for so many seconds.
AT_A_TIME, SECONDS = 16, 5.0


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """What one database answered; `answer` is None if it did not, and `error` says why."""

    database: str
    answer: T | None
    error: PgqueueError | None


def ask_each(dsns: Sequence[str], ask: Callable[[str], T], seconds: float = SECONDS) -> list[Told[T]]:
    """What `ask` answers of each DSN, in their order; none is waited for longer than `seconds` from its turn on.

    It is called in threads, and may raise errors of ours. Takes `seconds` at most for each AT_A_TIME databases.
    """
    rooms = threading.Semaphore(AT_A_TIME)
    asked = [_Question(dsn, ask, rooms) for dsn in dsns]
    for each in asked:
        each.start()
    deadline = monotonic() + seconds * (1 + (len(dsns) - 1) // AT_A_TIME)
    return [each.told(deadline) for each in asked]


def place_named(dsn: str) -> str:
    """Where a DSN leads, for people; nothing of a secret."""
    if is_embedded(dsn):
        return dsn
    try:
        return place_of(read(dsn))
    except DatabaseUnreachable:
        return "a DSN that cannot be read"


def on_connection(ask: Callable[[psycopg.Connection[Any]], T], seconds: float = SECONDS) -> Callable[[str], T]:
    """Asks on a connection to a database that has the schema, which answers each statement within `seconds`."""

    def asked(dsn: str) -> T:
        with diagnosed(), open_connection(address_of(dsn), "cli", deadline=seconds) as conn:
            require_schema(conn)
            take_any_text(conn)
            return ask(conn)

    return asked


class _Question(Generic[T]):
    """One database and its answer. A thread that gets none is left behind: each of its statements has a deadline."""

    def __init__(self, dsn: str, ask: Callable[[str], T], rooms: threading.Semaphore) -> None:
        self._place = place_named(dsn)
        self._dsn, self._ask, self._rooms = dsn, ask, rooms
        self._told: Told[T] | None = None
        self._thread = threading.Thread(target=self._run, name=f"pgqueue-ask-{self._place}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def told(self, deadline: float) -> Told[T]:
        self._thread.join(max(0.0, deadline - monotonic()))
        return self._told or Told(self._place, None, DatabaseUnreachable("it did not answer in time"))

    def _run(self) -> None:
        with self._rooms:
            try:
                self._told = Told(self._place, self._ask(self._dsn), None)
            except PgqueueError as error:
                self._told = Told(self._place, None, error)
            except Exception as error:  # Of one database: the others are still to be told of.
                self._told = Told(
                    self._place, None, PgqueueError(f"{type(error).__name__}: {without_details(str(error), error)}")
                )
