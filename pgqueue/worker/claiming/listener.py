"""The listener: hears NOTIFY on a connection of its own, and shows enqueuers whether the worker is hungry.

It never stops draining: a listener that lags can fill the server's notify queue and fail every producer. Keepalives
cannot see a LISTEN that a pooler dropped, so it tests itself with a notification through the database. Behind a pooler
it does not even try, unless it was told to listen there: LISTEN and locks would stay behind in somebody else's session.
"""

from __future__ import annotations

import math
import os
import select
import time
from collections.abc import Callable, Collection, Sequence

from pgqueue.events import Observer, Trouble
from pgqueue.self_test import SELF_TEST_DEADLINE, SelfTest
from pgqueue.store import execute, wakeups
from pgqueue.store.connection import open_connection
from pgqueue.store.session import OwnConnection
from pgqueue.worker.loop import Connection, Loop

LOOK = "look"
# An enqueue has the lock to itself for an instant: it is asked for again after this, and after twice as long each time.
FIRST_AGAIN, LAST_AGAIN = 0.002, 1.0
# Channel, payload, and the process of the server that sent it.
Arrived = tuple[str, str, int]
CURE = "give --listen-dsn, a direct connection to the same database, or say by --poll-only that it is to poll"


def ignore() -> None:
    """For a worker that has nothing to look after."""


class Listener:
    """Calls `heard(names)` with the queues of notifications, and `heard(None)` when it has just become heard of itself.

    What is heard is acted upon in this thread. `heard` answers within how many seconds that is to go on, None if there
    is nothing to act upon: then `go_on()` is called, which answers the same. What `is_echo` says to come from this
    worker's own doings is not heard.
    `look()` is called when somebody asks this worker to look after what it runs. `told` is whether it was told to
    listen at this DSN, whatever stands between.
    """

    def __init__(
        self,
        worker: int,
        dsn: str,
        queues: Sequence[str] | None,
        observe: Observer,
        heard: Callable[[Collection[str] | None], float | None],
        go_on: Callable[[], float] = lambda: math.inf,
        *,
        told: bool = False,
        look: Callable[[], None] = ignore,
        is_echo: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self._channel = f"pgqueue_{worker}"
        self._dsn = dsn
        self._queues = queues
        self._observe = observe
        self._heard = heard
        self._go_on = go_on
        self._go_on_at = math.inf
        self._look = look
        self._is_echo = is_echo
        self._told = told
        self._wanted = False
        # Whether locks were asked for, whether all of them are held, and when to ask again.
        self._showing = self._shown = False
        self._show_at, self._again = 0.0, FIRST_AGAIN
        # What has come and was not looked at.
        self._came: list[Arrived] = []
        self._self_test = SelfTest()
        self._useless = self._complained = False
        # A pipe, while the loop runs: ends the wait for the socket when another thread has something to say.
        self._reader = self._writer = -1
        self.loop = Loop("listener", dsn, self._tick, observe, self._connected, deadline=SELF_TEST_DEADLINE)

    @property
    def deaf(self) -> bool:
        """Whether notifications cannot be relied on now."""
        return self._useless or not self.loop.connected or not self._self_test.passed

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
        if isinstance(conn, OwnConnection) and conn.pooled and not (self._told and self._is_ours(conn)):
            self._useless = True
            self._complain("listening does not work through the pooler that its DSN leads to; it polls every second")
            return
        # What comes together with an answer is given to psycopg, which would keep it for whoever asks.
        conn.add_notify_handler(lambda each: self._came.append((each.channel, each.payload, each.pid)))
        self._listen(conn)
        # What was asked before that was heard by nobody.
        self._look()
        self._hide()
        self._self_test.began()

    def _tick(self, conn: Connection) -> float:
        if self._useless:
            # It stays so: another connection through the same pooler would hear no more.
            self.loop.stop(timeout=0)
            return 0.0
        self._test(conn)
        self._show(conn)
        show_at = self._show_at if self._showing and not self._shown else math.inf
        wait = max(0.0, min(self._self_test.wait(), min(self._go_on_at, show_at) - time.monotonic()))
        if self.loop.stopping:
            # It may have been said before there was a pipe to say it.
            return 0.0
        readable, _, _ = select.select([conn.fileno(), self._reader], [], [], wait)
        # Before what was said is looked at: what is said afterwards ends the next wait.
        if self._reader in readable:
            os.read(self._reader, 4096)
        self._hear(conn)
        if time.monotonic() >= self._go_on_at:
            self._go_on_at = math.inf
            self._acted(self._go_on())
        return 0.0

    def _acted(self, wait: float | None) -> None:
        if wait is not None:
            self._go_on_at = min(self._go_on_at, time.monotonic() + wait)

    def _hear(self, conn: Connection) -> None:
        # All are taken before the first is answered: that may take a claim, and one claim serves many.
        names: dict[str, None] = {}
        for channel, payload, pid in dict.fromkeys(self._arrived(conn)):
            if channel != self._channel:
                if not self._is_echo(pid):
                    names[payload] = None
            elif payload == LOOK:
                self._look()
            else:
                self._self_test.heard()
        if names:
            self._acted(self._heard(names))

    def _arrived(self, conn: Connection) -> list[Arrived]:
        """All that has come; below psycopg's notifies(), whose wait costs more than all this."""
        conn.pgconn.consume_input()
        while (more := conn.pgconn.notifies()) is not None:
            self._came.append((more.relname.decode(), more.extra.decode(), more.be_pid))
        came, self._came = self._came, []
        return came

    def _show(self, conn: Connection) -> None:
        wanted = self._wanted and not self._self_test.deaf
        if wanted and not self._shown and time.monotonic() >= self._show_at:
            self._showing = True
            self._shown = execute(conn, wakeups.hungry(self._queues))
            self._show_at = time.monotonic() + self._again
            self._again = min(2 * self._again, LAST_AGAIN)
            # Whoever committed before the lock was held has notified nobody.
            self._acted(self._heard(None))
        elif self._showing and not wanted:
            self._hide()
            execute(conn, wakeups.fed())
        else:
            return
        # What arrived together with the answer makes the socket no longer readable.
        self._hear(conn)

    def _hide(self) -> None:
        self._showing = self._shown = False
        self._show_at, self._again = 0.0, FIRST_AGAIN

    def _test(self, conn: Connection) -> None:
        due = self._self_test.due()
        if self._self_test.deaf:
            self._complain("listening does not work here, nor anew: no notification arrives; it polls every second")
        if due:
            if self._self_test.deaf:
                self._listen(conn)
            execute(conn, wakeups.self_test(self._channel))
            # As above: it may be here already.
            self._hear(conn)

    def _listen(self, conn: Connection) -> None:
        for channel in (wakeups.CHANNEL, self._channel):
            execute(conn, wakeups.listen(channel))

    def _is_ours(self, conn: Connection) -> bool:
        """Whether the pooler leaves us our session, so that what another connection sends arrives.

        Heard from ourselves it would prove nothing: the answer may have come from whichever session was free.
        """
        execute(conn, wakeups.listen(self._channel))
        with open_connection(self._dsn, "self-test") as other:
            execute(other, wakeups.self_test(self._channel))
        return any(True for _ in conn.notifies(timeout=SELF_TEST_DEADLINE, stop_after=1))

    def _complain(self, what: str) -> None:
        if not self._complained:
            self._complained = True
            self._observe(Trouble("listener", what, CURE))

    def _poke(self) -> None:
        try:
            os.write(self._writer, b".")
        except OSError:
            # Full: the loop has enough reason to turn. Not open: it looks before it waits, or has ended.
            return
