"""The listener: hears NOTIFY on a connection of its own, and shows enqueuers whether the worker is hungry.

It never stops draining: a listener that lags can fill the server's notify queue and fail every producer. Keepalives
cannot see a LISTEN that a pooler dropped, so it tests itself with a notification through the database.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable, Sequence

from pgqueue.errors import DatabaseUnreachable
from pgqueue.events import Observer
from pgqueue.store import execute, wakeups
from pgqueue.worker.loop import Connection, Loop

SELF_TEST_EVERY = 30.0
SELF_TEST_DEADLINE = 5.0


class Listener:
    """Calls `heard(queue)` for each notification, and `heard(None)` when the worker has just become heard of."""

    def __init__(
        self,
        worker: int,
        dsn: str,
        queues: Sequence[str] | None,
        observe: Observer,
        heard: Callable[[str | None], None],
    ) -> None:
        self._channel = f"pgqueue_{worker}"
        self._queues = queues
        self._heard = heard
        self._wanted = False
        self._shown = False
        self._tested_at = 0.0
        self._test_sent: float | None = None
        # A pipe, while the loop runs: ends the wait for the socket when another thread has something to say.
        self._reader = self._writer = -1
        self.loop = Loop("listener", dsn, self._tick, observe, self._connected)

    @property
    def deaf(self) -> bool:
        """Whether notifications cannot be relied on now."""
        return not self.loop.connected

    def hungry(self, wanted: bool) -> None:
        """Whether enqueuers are to notify; takes effect at the next turn."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._poke()

    def stop(self, timeout: float | None = None) -> bool:
        """End the loop; see Loop.stop()."""
        self.loop.stop(timeout=0)
        self._poke()
        ended = self.loop.stop(timeout)
        if ended and self._reader >= 0:
            os.close(self._reader)
            os.close(self._writer)
            self._reader = self._writer = -1
        return ended

    def _connected(self, conn: Connection) -> None:
        if self._reader < 0:
            self._reader, self._writer = os.pipe()
            os.set_blocking(self._reader, False)
            os.set_blocking(self._writer, False)
        for statement in wakeups.listen(self._channel):
            execute(conn, statement)
        self._shown = False
        self._test_sent = None
        self._tested_at = time.monotonic()

    def _tick(self, conn: Connection) -> float:
        self._show(conn)
        wait = self._test(conn)
        if self.loop.stopping:
            # It may have been said before there was a pipe to say it.
            return 0.0
        select.select([conn.fileno(), self._reader], [], [], wait)
        self._drain_pipe()
        for notification in conn.notifies(timeout=0):
            if notification.channel == self._channel:
                self._test_sent = None
            else:
                self._heard(notification.payload)
        return 0.0

    def _show(self, conn: Connection) -> None:
        if self._wanted == self._shown:
            return
        self._shown = self._wanted
        if self._shown:
            execute(conn, wakeups.hungry(self._queues))
            # Whoever committed before the lock was held has notified nobody.
            self._heard(None)
        else:
            execute(conn, wakeups.fed())

    def _test(self, conn: Connection) -> float:
        """Test the listening when its time has come; answers the seconds until there is something to do again."""
        now = time.monotonic()
        if self._test_sent is not None:
            if now - self._test_sent > SELF_TEST_DEADLINE:
                raise DatabaseUnreachable("listening does not work here: a notification to ourselves was lost")
            return SELF_TEST_DEADLINE
        if now - self._tested_at >= SELF_TEST_EVERY:
            self._tested_at = self._test_sent = now
            execute(conn, wakeups.self_test(self._channel))
            # What arrived together with the answer makes the socket no longer readable.
            return 0.0
        return SELF_TEST_EVERY - (now - self._tested_at)

    def _poke(self) -> None:
        try:
            os.write(self._writer, b".")
        except OSError:
            # Full: the loop has enough reason to turn. Not open: it looks before it waits, or has ended.
            return

    def _drain_pipe(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)
