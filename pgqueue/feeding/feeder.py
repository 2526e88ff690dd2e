"""The thread that enqueues: batch after batch, each in one transaction with the cursor, and through outages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from pgqueue.client import enqueue_many
from pgqueue.errors import DatabaseUnreachable, EnqueueLimit, FeedBusy, QueueFull
from pgqueue.feeding.basket import Basket, Item
from pgqueue.feeding.progress import FeedProgress, Listener
from pgqueue.store import execute, feeds
from pgqueue.store.connection import open_connection
from pgqueue.store.diagnosis import diagnosis
from pgqueue.store.outages import in_words, is_lost, is_outage, is_refusal
from pgqueue.store.session import OwnConnection

# Seconds between two looks whether there is room, or the database is back: from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 0.05, 1.0


@dataclass(frozen=True, slots=True)
class Errand:
    """Which feed, and who feeds it; `feeder` is a random number, the token of this call."""

    dsn: str
    name: str
    feeder: int
    buffer: int


class Feeder:
    """Empties a basket into the queue until it ends; `items` and `cursor` are what is committed.

    A second thread, so that Ctrl-C and the iterator's own time reach no COMMIT. `failure` is what it ended with.
    """

    def __init__(
        self, errand: Errand, conn: OwnConnection, basket: Basket, items: int, cursor: Any, listener: Listener
    ) -> None:
        self.items, self.fed, self.cursor = items, 0, cursor
        self.failure: BaseException | None = None
        self._errand = errand
        self._conn = conn
        self._basket = basket
        self._listener = listener
        self._waiting = 0
        self._finished = False
        self._error: str | None = None
        self._thread = threading.Thread(target=self._run, name="pgqueue-feed", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self) -> None:
        """Enqueue what is gathered, however long it has to wait for room, and write down that the feed is finished."""
        self._finished = True
        self._basket.end()
        self._thread.join()

    def leave(self, error: str | None = None) -> None:
        """Enqueue what is gathered, if there is room, and write down why the feed ends before its time."""
        self._finished, self._error = False, error
        self._basket.end(hurried=True)
        self._thread.join()

    def _run(self) -> None:
        try:
            while batch := self._basket.take():
                if not self._has_room(len(batch)) or not self._feed(batch):
                    break
            self._insist(self._end)
        except _GivenUp:
            return
        except psycopg.Error as error:
            self._fail(diagnosis(error))
        except BaseException as error:
            self._fail(error)
        finally:
            self._conn.close()

    def _fail(self, failure: BaseException) -> None:
        self.failure = failure
        self._basket.fail(failure)

    def _has_room(self, wanted: int) -> bool:
        """Whether so many jobs fit into the buffer, now or in a while; False only where nothing is waited for."""
        pause = FIRST_PAUSE
        while True:
            before = self._waiting
            self._insist(partial(self._look, wanted))
            if self._waiting + wanted <= self._errand.buffer:
                return True
            if self._basket.hurried:
                return False
            self._tell()
            # Where jobs end, room is near.
            pause = FIRST_PAUSE if self._waiting < before else min(LAST_PAUSE, pause * 1.5)
            self._basket.pause(pause)

    def _look(self, wanted: int) -> None:
        errand = self._errand
        waiting = execute(self._conn, feeds.room(errand.name, errand.feeder, errand.buffer, wanted))
        if waiting is None:
            raise self._taken_away()
        self._waiting = waiting

    def _feed(self, batch: Sequence[Item]) -> bool:
        """Enqueue a batch; smaller ones while its queue is full, or its role too quick. False if it is to end."""
        size, pause = len(batch), FIRST_PAUSE
        while batch:
            part = batch[:size]
            try:
                self._insist(partial(self._send, part))
            except (QueueFull, EnqueueLimit) as full:
                if isinstance(full, EnqueueLimit) and full.limit != "rate":
                    raise
                if self._basket.hurried:
                    return False
                self._tell(str(full))
                self._basket.pause(pause)
                size, pause = max(1, size // 2), min(LAST_PAUSE, pause * 1.5)
                continue
            self._count_in(part)
            batch, size, pause = batch[size:], 2 * size, FIRST_PAUSE
        return True

    def _send(self, batch: Sequence[Item]) -> None:
        with self._conn.transaction():
            ids = enqueue_many(self._conn, [item.new for item in batch])
            if not execute(self._conn, feeds.forward(self._errand.name, self._errand.feeder, batch[-1].cursor, ids)):
                raise self._taken_away()

    def _count_in(self, batch: Sequence[Item]) -> None:
        self.items += len(batch)
        self.fed += len(batch)
        self.cursor = batch[-1].cursor
        self._waiting += len(batch)
        self._tell()

    def _end(self) -> None:
        errand, finished = self._errand, self._finished and not self._basket.hurried
        if not execute(self._conn, feeds.leave(errand.name, errand.feeder, finished=finished, error=self._error)):
            raise self._taken_away()

    def _insist(self, act: Callable[[], None]) -> None:
        """Act, however often the database is away; but not again, if a batch was committed all the same."""
        pause = FIRST_PAUSE
        while True:
            try:
                if self._conn.closed and self._resume() != self.items:
                    return
                act()
                return
            except (psycopg.Error, DatabaseUnreachable) as error:
                lost = is_lost(self._conn, error)
                if not (lost or is_outage(error) or is_refusal(error)):
                    raise
                if lost:
                    self._conn.close()
                self._tell(in_words(error))
            if self._basket.hurried:
                raise _GivenUp
            self._basket.pause(pause)
            pause = min(LAST_PAUSE, pause * 1.5)

    def _resume(self) -> int:
        """Go on in a new session; answers how many items are fed, by what was committed last."""
        conn = open_connection(self._errand.dsn, "feed")
        items = execute(conn, feeds.hold(self._errand.name, self._errand.feeder, pooled=conn.pooled))
        if items is None or items < 0:
            conn.close()
            raise self._taken_away() if items is None else DatabaseUnreachable("the lost session still holds the feed")
        self._conn = conn
        return items

    def _taken_away(self) -> FeedBusy:
        return FeedBusy(f"feed {self._errand.name} was taken over by another process, or removed; nothing is fed here")

    def _tell(self, trouble: str | None = None) -> None:
        self._listener(FeedProgress(self.items, self.fed, self._waiting, self._errand.buffer, trouble))


class _GivenUp(Exception):
    """The database is away, and nobody wants to wait for it."""
