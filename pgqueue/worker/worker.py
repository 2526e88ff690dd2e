"""The worker: one enlistment after another, until it is time to end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Literal

from pgqueue.errors import DatabaseUnreachable, OptionError, UsageError
from pgqueue.events import DatabaseLost, Event, Observer, WorkerStopped
from pgqueue.worker.attention import Attention
from pgqueue.worker.enlistment import STOP_SIGNALS, STOPPED, Enlistment, WorkerSettings
from pgqueue.worker.executors import EXECUTORS
from pgqueue.worker.executors.base import Settings
from pgqueue.worker.log import LogObserver

# Seconds between attempts to enlist anew, while the database comes and goes.
RETRY_EVERY = 1.0


class Worker:
    """Claims jobs and runs them until it is told to stop.

    `queues` None serves all of them; `app` names the modules whose tasks may run; `lease`, `poll` and
    `shutdown_timeout` are seconds. `burst` ends the worker when nothing is due. Behind a pooler, `listen_dsn` leads
    round it to where LISTEN works, and `poll_only` says that none is wanted: then jobs are looked for every second.
    Holds three connections, whatever the concurrency, and one more per slot that runs transactional tasks.
    """

    def __init__(
        self,
        dsn: str,
        *,
        queues: Sequence[str] | None = None,
        concurrency: int | None = None,
        executor: Literal["process", "thread", "async"] = "process",
        app: Sequence[str] = (),
        middleware: Sequence[str] = (),
        burst: bool = False,
        poll: float = 5.0,
        lease: float = 30.0,
        shutdown_timeout: float = 8.0,
        listen_dsn: str | None = None,
        poll_only: bool = False,
        observers: Iterable[Observer] | None = None,
    ) -> None:
        if executor not in EXECUTORS:
            raise OptionError(f"executor must be one of {', '.join(EXECUTORS)}, got {executor!r}")
        _check(concurrency=concurrency, poll=poll, lease=lease, shutdown_timeout=shutdown_timeout)
        _check_names(queues=queues, app=app, middleware=middleware)
        if poll_only and listen_dsn is not None:
            raise OptionError("poll_only listens to nothing, so listen_dsn has no use; give one of them")
        self._settings = WorkerSettings(
            dsn=dsn,
            queues=None if queues is None else list(queues),
            executor=executor,
            tasks=Settings(
                concurrency=concurrency or os.cpu_count() or 1, apps=tuple(app), middleware=tuple(middleware), dsn=dsn
            ),
            burst=burst,
            poll=poll,
            lease=lease,
            shutdown_timeout=shutdown_timeout,
            listen_dsn=listen_dsn,
            poll_only=poll_only,
        )
        self._observers = list(observers) if observers is not None else [LogObserver()]
        self._attention = Attention()
        self._asked_to_stop = False
        self._ran = False
        self._enlistment = self._new_enlistment()

    @property
    def id(self) -> int:
        """The id under which it holds its jobs now; a fresh one after an outage that outlasted its lease."""
        return self._enlistment.id

    def run(self) -> int:
        """Work until a signal, stop(), the end of a burst or the loss of the lease; answers the exit code.

        Raises AppError if the app cannot be imported, DatabaseUnreachable and SchemaError if the worker cannot begin;
        once begun, it outlives any outage. In the main thread TERM and INT stop it, a second one at once; TSTP makes
        it quiet, CONT go on. A Worker runs once.
        """
        if self._ran:
            raise UsageError("a Worker runs once, and this one has run; make another")
        self._ran = True
        with self._attention:
            code = self._enlistment.serve()
            while code is None:
                self._enlistment = self._new_enlistment()
                code = self._serve_again()
            self._observe(WorkerStopped(self.id, code))
            return code

    def stop(self) -> None:
        """Ask for a graceful stop; from any thread, any number of times."""
        self._asked_to_stop = True
        self._attention.call()

    def _new_enlistment(self) -> Enlistment:
        return Enlistment(self._settings, self._attention, lambda: self._asked_to_stop, self._observe)

    def _serve_again(self) -> int | None:
        try:
            return self._enlistment.serve()
        except DatabaseUnreachable as error:
            # It came back and went again: wait for it as before.
            self._observe(DatabaseLost("worker", str(error), 0.0))
        stop = any(number in STOP_SIGNALS for number in self._attention.wait(RETRY_EVERY))
        return STOPPED if stop or self._asked_to_stop else None

    def _observe(self, event: Event) -> None:
        for observer in self._observers:
            try:
                observer(event)
            except Exception:  # An observer is a guest: what it does wrong must not stop the work.
                continue


def _check(*, concurrency: int | None, poll: float, lease: float, shutdown_timeout: float) -> None:
    if concurrency is not None and concurrency < 1:
        raise OptionError(f"concurrency must be 1 or more, got {concurrency}")
    if poll <= 0:
        raise OptionError(f"poll must be more than 0 seconds, got {poll}")
    if lease < 1:
        raise OptionError(f"lease must be 1 second or more, got {lease}")
    if shutdown_timeout < 0:
        raise OptionError(f"shutdown_timeout must be 0 seconds or more, got {shutdown_timeout}")


def _check_names(*, queues: Sequence[str] | None, app: Sequence[str], middleware: Sequence[str]) -> None:
    for option, names in (("queues", queues), ("app", app), ("middleware", middleware)):
        if isinstance(names, str):
            raise OptionError(f"{option} must be a list of names, got {names!r}; write [{names!r}]")
    if queues is not None and not queues:
        raise OptionError("queues must name at least one queue, got []; None serves all of them")
