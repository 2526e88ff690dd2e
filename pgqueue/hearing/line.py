"""The connection on which somebody hears what ends: told by the server where it can listen, else by looking.

Who ends a job tests the lock before it commits. One that tested before it was held here, and commits after everybody
has looked, tells nobody: so it looks also where it listens, soon at first, then once a second. Behind a pooler LISTEN
and the lock would stay in somebody else's session, and a standby knows no LISTEN: there it looks more often.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from uuid import UUID

import psycopg

from pgqueue.self_test import SelfTest
from pgqueue.store import awaiting, execute, wakeups
from pgqueue.store.session import OwnConnection

# Seconds between two looks: at first, and where it listens and where it does not.
FIRST_LOOK, LISTENING_LOOK, DEAF_LOOK = 0.02, 1.0, 0.25
# For each second of looking so many without.
REST = 9.0
# Notifications that are kept while a statement is under way.
MOST_CAME = 10_000


class Line:
    """One connection, for one thread. `missed` is whether more was told than it could keep."""

    def __init__(self, conn: OwnConnection, self_test: SelfTest) -> None:
        self.conn = conn
        self.missed = False
        self._unfit: str | None = None
        self._self_test = self_test
        self._channel = f"pgqueue_{secrets.token_hex(8)}"
        self._came: list[tuple[str, str]] = []
        self._look_at, self._pause = 0.0, FIRST_LOOK
        if conn.pooled:
            self._unfit = "LISTEN does not work through the pooler that the connection leads to"
            return
        conn.add_notify_handler(lambda each: self._keep(each.channel, each.payload))
        try:
            for channel in (awaiting.CHANNEL, self._channel):
                execute(conn, wakeups.listen(channel))
        except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.FeatureNotSupported) as error:
            self._unfit = f"the server refuses LISTEN ({error.diag.message_primary})"
            return
        # Not waited for: who keeps it to himself has everybody told, too.
        execute(conn, awaiting.follow())
        self_test.began()

    @property
    def deaf(self) -> str | None:
        """Why it does not hear what is told; None if it does."""
        return self._unfit or ("no notification arrives, nor on another connection" if self._self_test.deaf else None)

    def due_in(self) -> float:
        """After how many seconds there is something to do even if nothing comes."""
        look = max(0.0, self._look_at - time.monotonic())
        return look if self._unfit else min(look, self._self_test.wait())

    def heard(self) -> set[str]:
        """The ids of jobs of which something has ended."""
        if self._unfit is None:
            self._read()
        came, self._came = self._came, []
        if any(channel == self._channel for channel, _ in came):
            self._self_test.heard()
        return {each for channel, payload in came if channel == awaiting.CHANNEL for each in payload.split(",")}

    def test(self) -> None:
        """Find out whether what is told arrives. Raises DatabaseUnreachable the first time that it did not."""
        if self._unfit is None and self._self_test.due():
            execute(self.conn, wakeups.self_test(self._channel))

    def hurry(self) -> None:
        """Look soon: somebody waits again."""
        self._pause, self._look_at = FIRST_LOOK, 0.0

    @property
    def is_to_look(self) -> bool:
        """Whether it is time for look()."""
        return time.monotonic() >= self._look_at

    def look(self, ids: Sequence[str]) -> Iterator[set[str]]:
        """Those of these jobs that have ended, a part at a time, with what was heard meanwhile."""
        begun = time.monotonic()
        for first in range(0, len(ids), awaiting.MOST_JOBS):
            some = [UUID(each) for each in ids[first : first + awaiting.MOST_JOBS]]
            found = execute(self.conn, awaiting.ended_among(some))
            yield {str(each) for each in found} | self.heard()
        now = time.monotonic()
        self._look_at = now + max(self._pause, REST * (now - begun))
        self._pause = min(2 * self._pause, DEAF_LOOK if self.deaf else LISTENING_LOOK)

    def _read(self) -> None:
        """Below psycopg's notifies(), which waits."""
        self.conn.pgconn.consume_input()
        while (more := self.conn.pgconn.notifies()) is not None:
            self._keep(more.relname.decode(), more.extra.decode())

    def _keep(self, channel: str, payload: str) -> None:
        if len(self._came) < MOST_CAME:
            self._came.append((channel, payload))
        else:
            self.missed = True
