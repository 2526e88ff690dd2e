"""The worker: wires the roles, and supervises them from the main thread until it is time to end."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Literal

from pgqueue.errors import OptionError
from pgqueue.events import Event, Finished, Observer, WorkerStarted, WorkerStopped, WorkerStopping
from pgqueue.outcome import Released, judge
from pgqueue.store import execute, workers
from pgqueue.store.connection import open_connection
from pgqueue.store.schema import require_schema
from pgqueue.worker.attention import Attention
from pgqueue.worker.claimer import Claimer, Slots
from pgqueue.worker.executors import EXECUTORS
from pgqueue.worker.executors.base import Leftover, Settings
from pgqueue.worker.heartbeat import Heartbeat
from pgqueue.worker.listener import Listener
from pgqueue.worker.log import LogObserver
from pgqueue.worker.outbox import Outbox

# Exit codes of run(): stopped as asked; stopped by force; to be started again (its lease was lost).
STOPPED, FORCED, RETIRED = 0, 1, 75
# How often the main thread looks at the lease; it has nothing else to do.
LOOK_EVERY = 0.5
# The last outcomes are written within this, or left to the reaper; and so if there is no time to lose.
FLUSH_TIMEOUT, KILL_TIMEOUT = 5.0, 1.0
# What a thread still runs cannot be ended but with the process: it is not claimable before that is gone.
THREAD_RELEASE_DELAY = 5.0


class Worker:
    """Claims jobs and runs them until it is told to stop.

    `queues` None serves all of them; `app` names the modules whose tasks may run; `lease`, `poll` and
    `shutdown_timeout` are seconds. `burst` ends the worker when nothing is due. Holds three connections, whatever the
    concurrency, and one more per slot that runs transactional tasks.
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
        observers: Iterable[Observer] | None = None,
    ) -> None:
        if executor not in EXECUTORS:
            raise OptionError(f"executor must be one of {', '.join(EXECUTORS)}, got {executor!r}")
        _check(concurrency=concurrency, poll=poll, lease=lease, shutdown_timeout=shutdown_timeout)
        _check_names(queues=queues, app=app, middleware=middleware)
        self.id = secrets.randbits(63)
        self._dsn = dsn
        self._queues = None if queues is None else list(queues)
        self._kind = executor
        self._burst = burst
        self._lease = lease
        self._poll = poll
        self._shutdown_timeout = shutdown_timeout
        self._observers = list(observers) if observers is not None else [LogObserver()]
        self._attention = Attention()
        self._lost: str | None = None
        self._asked_to_stop = False
        settings = Settings(
            concurrency=concurrency or os.cpu_count() or 1, apps=tuple(app), middleware=tuple(middleware), dsn=dsn
        )
        self._outbox = Outbox(lambda first: self._claimer.outcomes_waiting(first))
        self._executor = EXECUTORS[executor](settings, self._outbox.add, self._observe)
        self._listener = Listener(self.id, dsn, self._queues, self._observe, lambda queue: self._claimer.wake(queue))
        self._claimer = Claimer(
            self.id,
            dsn,
            self._queues,
            Slots(settings.concurrency, self._executor.submit, self._executor.load, self._executor.give_back),
            self._outbox,
            self._observe,
            poll=poll,
            burst=burst,
            hungry=self._listener.hungry,
            deaf=lambda: self._listener.deaf,
            evicted=self._evicted,
        )
        self._heartbeat = Heartbeat(
            self.id, dsn, self._observe, lease=lease, poll=poll, turning=self._turning, evicted=self._evicted
        )
        self._concurrency = settings.concurrency

    def run(self) -> int:
        """Work until a signal, stop(), the end of a burst or the loss of the lease; answers the exit code.

        Raises AppError if the app cannot be imported, DatabaseUnreachable and SchemaError if the worker cannot begin;
        once begun, it outlives any outage. In the main thread TERM and INT stop it, a second one at once; TSTP makes
        it quiet, CONT go on.
        """
        with self._attention:
            with open_connection(self._dsn, "worker") as conn:
                require_schema(conn)
            # Importing the app may take longer than a lease: that begins only when the worker can work.
            self._executor.start()
            try:
                self._enlist()
            except BaseException:
                self._executor.stop(0)
                raise
            self._heartbeat.loop.start()
            self._listener.loop.start()
            self._claimer.loop.start()
            self._observe(WorkerStarted(self.id, self._queues or [], self._kind, self._concurrency))
            code = self._supervise()
            self._observe(WorkerStopped(self.id, code))
            return code

    def stop(self) -> None:
        """Ask for a graceful stop; from any thread, any number of times."""
        self._asked_to_stop = True
        self._attention.call()

    def _enlist(self) -> None:
        with open_connection(self._dsn, "worker") as conn:
            sent_at = time.monotonic()
            lease = timedelta(seconds=self._lease)
            host, pid = socket.gethostname(), os.getpid()
            execute(conn, workers.enlist(self.id, host, pid, self._queues, self._kind, self._concurrency, lease))
        self._heartbeat.acknowledged(sent_at)

    def _supervise(self) -> int:
        while True:
            for number in self._attention.wait(self._patience()):
                if number in (signal.SIGTERM, signal.SIGINT):
                    return self._stop_gracefully(number.name)
                if number == signal.SIGTSTP:
                    self._claimer.quiet()
                elif number == signal.SIGCONT:
                    self._claimer.go_on()
            if self._asked_to_stop:
                return self._stop_gracefully("stop() was called")
            if self._burst and self._claimer.drained:
                return self._stop_gracefully("nothing is due")
            if self._lease_is_gone():
                return self._retire()

    def _patience(self) -> float:
        if self._burst:
            return 0.02
        # Not a moment later than the lease can be believed in.
        return max(0.0, min(LOOK_EVERY, self._heartbeat.safe_until - time.monotonic()))

    def _lease_is_gone(self) -> bool:
        if self._lost is None and time.monotonic() >= self._heartbeat.safe_until:
            self._lost = "no heartbeat was acknowledged for almost a lease"
        return self._lost is not None

    def _stop_gracefully(self, why: str) -> int:
        self._observe(WorkerStopping(self.id, why))
        self._claimer.quiet()
        left: list[Leftover] = []
        stopping = threading.Thread(
            target=lambda: left.extend(self._executor.stop(self._shutdown_timeout)), daemon=True
        )
        stopping.start()
        while stopping.is_alive():
            if any(number in (signal.SIGTERM, signal.SIGINT) for number in self._attention.wait(0.05)):
                return self._stop_at_once(stopping, left)
            if self._lease_is_gone():
                return self._retire()
        self._release(left)
        self._end_roles(FLUSH_TIMEOUT)
        return STOPPED

    def _stop_at_once(self, stopping: threading.Thread, left: Sequence[Leftover]) -> int:
        self._executor.kill()
        # Threads cannot be killed; they end with the process.
        stopping.join(KILL_TIMEOUT)
        self._release(tuple(left))
        self._end_roles(KILL_TIMEOUT)
        return FORCED

    def _retire(self) -> int:
        """The jobs are, or will soon be, somebody else's: end what runs first, then tell what was late."""
        self._observe(WorkerStopping(self.id, f"lease lost: {self._lost}"))
        self._claimer.quiet()
        self._release(self._executor.stop(0))
        self._end_roles(KILL_TIMEOUT)
        return RETIRED

    def _release(self, left: Sequence[Leftover]) -> None:
        running_on = self._kind != "process"
        released = [
            Finished(
                leftover.claim,
                judge(
                    leftover.claim,
                    Released(THREAD_RELEASE_DELAY if leftover.started and running_on else 0.0, leftover.started),
                ),
                0.0,
            )
            for leftover in left
        ]
        if released:
            self._outbox.add(released)

    def _end_roles(self, flush_timeout: float) -> None:
        self._listener.stop(1.0)
        deadline = time.monotonic() + flush_timeout
        while len(self._outbox) and time.monotonic() < deadline:
            self._claimer.loop.wake()
            time.sleep(0.005)
        ended = self._claimer.loop.stop(max(0.1, deadline - time.monotonic()))
        self._heartbeat.loop.stop(1.0)
        self._discharge(clean=ended and self._claimer.clean)

    def _discharge(self, *, clean: bool) -> None:
        try:
            with open_connection(self._dsn, "worker") as conn:
                execute(conn, workers.discharge(self.id, clean=clean))
                if not clean:
                    execute(conn, workers.reap())
        except Exception:  # The lease ends by itself; a worker that is leaving has nobody to tell.
            return

    def _evicted(self, why: str) -> None:
        self._lost = why
        self._attention.call()

    def _turning(self) -> bool:
        return time.monotonic() - self._claimer.loop.turned_at < max(self._lease, 2 * self._poll)

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
