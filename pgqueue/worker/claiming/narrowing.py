"""Narrowing: a batch that is refused is tried again by halves, down to the one that the database does not take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from pgqueue.store.outages import is_lost, is_refusal
from pgqueue.worker.claiming.settler import is_lock_timeout
from pgqueue.worker.loop import Connection

T = TypeVar("T")
R = TypeVar("R")

# What the server may take later is repeated whole for so long before somebody is looked for; a lock for longer.
PATIENCE, LOCK_PATIENCE = 5.0, 60.0
# One narrowing ends after so many seconds; the next goes on without those that were found.
LONGEST = 10.0


class Suspicion:
    """Since when steps are refused, and whether it is time to look for the one that is to blame."""

    def __init__(self) -> None:
        self._since: float | None = None

    def rises(self, conn: Connection, error: Exception) -> bool:
        """A step was refused with `error`; whether to look for who is to blame."""
        now = time.monotonic()
        self._since = since = now if self._since is None else self._since
        if is_lost(conn, error):
            # Nobody was judged.
            self._since = None
            return False
        if is_lock_timeout(error):
            return now - since >= LOCK_PATIENCE
        return not is_refusal(error) or now - since >= PATIENCE

    def falls(self) -> None:
        """A step was answered."""
        self._since = None


def narrow(
    conn: Connection,
    items: Sequence[T],
    attempt: Callable[[Sequence[T]], R],
    alone: Callable[[T, Exception], R | None],
) -> Iterator[R]:
    """Attempt all of them, or what is refused by halves; answers what each accepted part answered, as it comes.

    `alone` is asked what is to be done about one that was refused by itself; what it raises ends the narrowing.
    """
    ends_at = time.monotonic() + LONGEST
    parts = [items] if items else []
    while parts:
        part = parts.pop()
        try:
            answer: R | None = attempt(part)
        except Exception as error:  # Whatever it is: the others are not to suffer from it.
            if is_lost(conn, error):
                raise
            if len(part) > 1:
                if time.monotonic() > ends_at:
                    raise
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
                continue
            answer = alone(part[0], error)
        if answer is not None:
            yield answer
