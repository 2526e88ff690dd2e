"""The main thread of a worker of one database: one enlistment after another, until it is time to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg

from pgqueue.database import address_of
from pgqueue.errors import DatabaseUnreachable, HostExhausted
from pgqueue.events import HostFailed, Observer
from pgqueue.store.unreachable import in_one_line
from pgqueue.worker.outage import Outage
from pgqueue.worker.settings import WorkerSettings
from pgqueue.worker.supervision.ending import RETIRED, STOP_SIGNALS, STOPPED
from pgqueue.worker.supervision.enlistment import Enlistment
from pgqueue.worker.supervision.health import Health
from pgqueue.worker.supervision.roles import Timings
from pgqueue.worker.supervision.signals import Calls

# Seconds between attempts to enlist anew, while the database comes and goes.
RETRY_EVERY = 1.0


class Serving:
    """Serves once; what it raises is told by Worker.run()."""

    def __init__(
        self,
        settings: WorkerSettings,
        signals: Calls,
        asked_to_stop: Callable[[], bool],
        observe: Observer,
        timings: Timings,
    ) -> None:
        self._settings = settings
        self._signals = signals
        self._asked_to_stop = asked_to_stop
        self._observe = observe
        self._timings = timings
        self._outage = Outage("worker")
        self._enlistment = self._new_enlistment()

    @property
    def id(self) -> int:
        """The worker id under which it holds jobs now."""
        return self._enlistment.id

    def health(self) -> Health:
        """How it is, at this moment; from any thread."""
        return self._enlistment.health()

    def find_database(self) -> None:
        """Start the embedded PostgreSQL, if the DSN means it: the roles and the jobs need where it is."""
        address, listen = address_of(self._settings.dsn), self._settings.listen_dsn
        if address != self._settings.dsn:
            tasks = replace(self._settings.tasks, dsn=address)
            self._settings = replace(self._settings, dsn=address, tasks=tasks, listen_dsn=listen and address_of(listen))
            self._enlistment = self._new_enlistment()

    def serve(self) -> int:
        """Work to the end; answers the exit code."""
        code = self._enlistment.serve()
        while code is None:
            self._enlistment = self._new_enlistment()
            code = self._serve_again()
        return code

    def _new_enlistment(self) -> Enlistment:
        return Enlistment(self._settings, self._signals, self._asked_to_stop, self._observe, self._timings)

    def _serve_again(self) -> int | None:
        try:
            return self._enlistment.serve()
        except HostExhausted as error:
            # A fresh process may have what this one has used up.
            self._observe(HostFailed("worker", str(error)))
            return RETIRED
        except (DatabaseUnreachable, psycopg.OperationalError) as error:
            # It came back and went again, perhaps in the middle of enlisting: wait for it as before.
            if (lost := self._outage.lost(in_one_line(error))) is not None:
                self._observe(lost)
        stop = any(number in STOP_SIGNALS for number in self._signals.wait(RETRY_EVERY))
        return STOPPED if stop or self._asked_to_stop() else None
