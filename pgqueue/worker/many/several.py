"""The main thread of a worker of several databases: who is served, what signals say, and how it ends."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Sequence

from pgqueue.database import address_of
from pgqueue.errors import PgqueueError
from pgqueue.events import Observer, Trouble, WorkerDumped, WorkerStopping
from pgqueue.store.dsn_files import DsnFile, check_all
from pgqueue.worker.many.health import together
from pgqueue.worker.many.served_database import ServedDatabase
from pgqueue.worker.many.shares import Shares
from pgqueue.worker.settings import WorkerSettings
from pgqueue.worker.supervision.dumper import stacks
from pgqueue.worker.supervision.ending import FORCED, RETIRED, STOP_EXTRA, STOP_SIGNALS, STOPPED
from pgqueue.worker.supervision.enlistment import start_executor
from pgqueue.worker.supervision.health import Health, Phase
from pgqueue.worker.supervision.roles import Timings, longest_turn
from pgqueue.worker.supervision.signals import Calls

# How often it looks at its file and at what has ended, seconds.
LOOK_EVERY = 0.5
# What is beyond a stop's own time, for the threads that carry it out.
SLACK = 2.0


class Several:
    """Serves `dsns`, and what `file` names, with one executor. Serves once."""

    def __init__(
        self,
        dsns: Sequence[str],
        file: DsnFile | None,
        settings: WorkerSettings,
        signals: Calls,
        asked_to_stop: Callable[[], bool],
        observe: Observer,
        timings: Timings,
    ) -> None:
        self._given = list(dsns)
        self._file = file
        self._settings = settings
        self._signals = signals
        self._asked_to_stop = asked_to_stop
        self._observe = observe
        self._timings = timings
        self._shares = Shares(settings.executor, settings.tasks, observe, self._retire_for)
        # By the DSN as it was named: the address that libpq reads.
        self._wanted: dict[str, str] = {}
        self._served: dict[str, ServedDatabase] = {}
        # Those where somebody asked this worker to stop are not served again as long as they are named.
        self._left: set[str] = set()
        self._codes: list[int] = []
        self._gives_up_at = math.inf
        self._why_retire: str | None = None
        self._why_stop: str | None = None
        self._looked_at = time.monotonic()

    @property
    def id(self) -> int:
        """The worker id in the first of the databases; 0 if it serves none."""
        return next((each.id for each in tuple(self._served.values())), 0)

    def find_database(self) -> None:
        """Nothing: each is found when it is served."""

    def serve(self) -> int:
        """Work to the end; answers the exit code. Raises AppError, HostExhausted, UsageError for the file."""
        named = self._file.changed() if self._file is not None else None
        start_executor(self._shares.executor)
        try:
            self._want([*self._given, *(named or ())])
            while not self._is_over():
                self._look()
        finally:
            self._shares.executor.stop(0.0)
        return self._code()

    def health(self) -> Health:
        """How it is, at this moment; from any thread."""
        silent = time.monotonic() - self._looked_at
        served = [each.health() for each in tuple(self._served.values())]
        return together(served, silent, stopping=self._is_stopping) if served else self._nobody(silent)

    @property
    def _is_stopping(self) -> bool:
        return self._why_stop is not None

    def _is_over(self) -> bool:
        # A file may name others later.
        waits = self._file is not None and not self._settings.burst
        ended = not self._served and (self._is_stopping or not waits)
        return ended or time.monotonic() > self._gives_up_at

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        for number in self._signals.wait(LOOK_EVERY):
            self._heed(number)
        if self._asked_to_stop():
            self._stop("stop() was called", STOPPED)
        if self._why_retire is not None:
            self._stop(f"retiring: {self._why_retire}", RETIRED)
        if not self._is_stopping:
            self._read_again()
        self._bury_ended()

    def _heed(self, number: signal.Signals) -> None:
        if number in STOP_SIGNALS and not self._is_stopping:
            self._say_stopping(number.name, STOPPED)
        if number is signal.SIGTTIN:
            summary = {"databases": len(self._served), "health": str(self.health().phase)}
            self._observe(WorkerDumped(0, summary, [], stacks()))
        for each in tuple(self._served.values()):
            each.pass_on(number)

    def _stop(self, why: str, code: int) -> None:
        if not self._is_stopping:
            self._say_stopping(why, code)
            for each in tuple(self._served.values()):
                each.leave()

    def _say_stopping(self, why: str, code: int) -> None:
        self._why_stop = why
        self._gives_up_at = time.monotonic() + self._settings.shutdown_timeout + STOP_EXTRA + SLACK
        self._observe(WorkerStopping(0, why, code))

    def _retire_for(self, why: str) -> None:
        self._why_retire = self._why_retire or why
        self._signals.wake()

    def _read_again(self) -> None:
        if self._file is None:
            return
        try:
            if (named := self._file.changed()) is not None:
                self._want([*self._given, *named])
        except PgqueueError as error:
            # Those that it named before are served on.
            self._observe(Trouble("dsn-file", str(error), "the databases stay as they are; mend the file"))

    def _want(self, dsns: Sequence[str]) -> None:
        # All of it can be read before anything changes.
        self._wanted = {dsn: address_of(dsn) for dsn in check_all(dsns)}
        self._left.intersection_update(self._wanted)
        if not self._wanted and self._file is not None:
            self._observe(Trouble("dsn-file", f"{self._file.path} names no database", "write DSNs into it, one a line"))
        for dsn, served in tuple(self._served.items()):
            if dsn not in self._wanted:
                served.leave()
        self._serve_wanted()

    def _serve_wanted(self) -> None:
        for dsn, address in self._wanted.items():
            if dsn not in self._served and dsn not in self._left:
                served = self._served[dsn] = ServedDatabase(
                    address, self._settings, self._shares, self._observe, self._timings, self._retire_for
                )
                served.start()

    def _bury_ended(self) -> None:
        for dsn, served in tuple(self._served.items()):
            if served.code is not None:
                del self._served[dsn]
                self._codes.append(served.code)
                if not served.is_leaving:
                    self._left.add(dsn)
        if not self._is_stopping:
            # One that a file took back may stand there again.
            self._serve_wanted()

    def _code(self) -> int:
        if self._why_retire is not None:
            return RETIRED
        return max(self._codes, default=STOPPED) if self._settings.burst or FORCED in self._codes else STOPPED

    def _nobody(self, silent: float) -> Health:
        return Health(
            worker=0,
            phase=Phase.STOPPING if self._is_stopping else Phase.WAITING,
            lease_left=0.0,
            answered=False,
            silent=silent,
            claimer_silent=0.0,
            heartbeat_silent=0.0,
            longest_turn=longest_turn(self._settings),
            jobs=0,
            outbox=0,
            databases="for none of the databases",
        )
