"""One database of several: one enlistment after another, in a thread of its own, until it is left.

Whatever keeps it from working, it tells, waits, and tries again: the other databases are no matter of it.
"""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable
from dataclasses import replace

import psycopg

from pgqueue.errors import DatabaseUnreachable, HostExhausted, SchemaError
from pgqueue.events import (
    DatabaseBack,
    DatabaseLost,
    Event,
    HostFailed,
    Observer,
    Trouble,
    WorkerStarted,
    WorkerStopping,
)
from pgqueue.server_details import without_details
from pgqueue.store.dsn import place_of, read
from pgqueue.store.unreachable import in_one_line
from pgqueue.worker.many.calls import PassedOn
from pgqueue.worker.many.shares import Shares
from pgqueue.worker.outage import Outage
from pgqueue.worker.settings import WorkerSettings
from pgqueue.worker.supervision.ending import RETIRED, STOP_SIGNALS, STOPPED
from pgqueue.worker.supervision.enlistment import Enlistment
from pgqueue.worker.supervision.health import Health
from pgqueue.worker.supervision.roles import Timings

# Seconds between two attempts to enlist: from the first to the last, as long as they fail.
FIRST_PAUSE, LAST_PAUSE = 0.5, 15.0
# Exit code of a burst that could not reach a database.
UNREACHED = 3


class ServedDatabase:
    """`retire` is called with the reason why the whole process should not go on. Nothing here raises.

    `code` is what it ended with, None as long as it has not.
    """

    def __init__(
        self,
        dsn: str,
        settings: WorkerSettings,
        shares: Shares,
        observe: Observer,
        timings: Timings,
        retire: Callable[[str], None],
    ) -> None:
        self.place = place_of(read(dsn))
        self.code: int | None = None
        self._settings = replace(settings, dsn=dsn, tasks=replace(settings.tasks, dsn=dsn))
        self._shares = shares
        self._make = shares.maker(dsn)
        self._tell_all = observe
        self._timings = timings
        self._retire = retire
        self._calls = PassedOn()
        # Whether it was told to leave by this process.
        self.is_leaving = False
        self._outage = Outage("worker")
        self._pause = FIRST_PAUSE
        self._enlistment = self._new_enlistment()
        self._thread = threading.Thread(target=self._run, name=f"pgqueue-at-{self.place}", daemon=True)

    def start(self) -> None:
        """Begin to serve it."""
        self._thread.start()

    def pass_on(self, number: signal.Signals) -> None:
        """A signal has arrived."""
        self._calls.pass_on(number)

    def leave(self) -> None:
        """Stop gracefully; returns at once."""
        self.is_leaving = True
        self._calls.wake()

    def health(self) -> Health:
        """How it is, at this moment; from any thread."""
        return self._enlistment.health()

    @property
    def id(self) -> int:
        """The worker id under which it holds jobs now."""
        return self._enlistment.id

    def _new_enlistment(self) -> Enlistment:
        return Enlistment(
            self._settings, self._calls, lambda: self.is_leaving, self._observe, self._timings, self._make
        )

    def _run(self) -> None:
        while self.code is None:
            try:
                code = self._enlistment.serve()
            except Exception as error:  # Of this database; the others go on.
                code = self._failed(error)
            if (why := self._enlistment.why_retire) is not None:
                self._retire(why)
            elif code == RETIRED:
                # The lease alone is lost.
                code = None
            self._shares.drop(self._enlistment.id)
            if code is None:
                if self.is_leaving:
                    code = STOPPED
                else:
                    self._enlistment = self._new_enlistment()
            self.code = code

    def _failed(self, error: Exception) -> int | None:
        """It could not begin, or went away while it began: tell, and wait; answers the code if it is not to go on."""
        if isinstance(error, HostExhausted):
            self._observe(HostFailed("worker", str(error)))
            self._retire(str(error))
            return RETIRED
        self._tell(error)
        if self._settings.burst:
            return UNREACHED
        wait = self._pause * random.uniform(0.5, 1.0)
        self._pause = min(LAST_PAUSE, self._pause * 2)
        stop = any(number in STOP_SIGNALS for number in self._calls.wait(wait))
        return STOPPED if stop or self.is_leaving else None

    def _observe(self, event: Event) -> None:
        """Say with each event of which database it tells, where that does not show."""
        match event:
            case DatabaseLost() | DatabaseBack() | HostFailed() | Trouble():
                self._tell_all(replace(event, role=f"{event.role} at {self.place}"))
            case WorkerStarted():
                self._pause = FIRST_PAUSE
                if (over := self._outage.over()) is not None:
                    self._observe(over)
                self._tell_all(replace(event, database=self.place))
            case WorkerStopping():
                self._tell_all(replace(event, database=self.place))
            case _:
                self._tell_all(event)

    def _tell(self, error: Exception) -> None:
        match error:
            case DatabaseUnreachable() | psycopg.OperationalError():
                said = self._outage.lost(in_one_line(error))
            case SchemaError():
                said = self._outage.lost(str(error), refused=True)
            case _:
                said = self._outage.trouble(f"{type(error).__name__}: {without_details(str(error), error)}")
        if said is not None:
            self._observe(said)
