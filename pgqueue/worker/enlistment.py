"""One enlistment: the roles of one worker id, wired and supervised from the main thread until its end.

It ends as asked, by force, or with the loss of its lease. An outage that outlasts the lease ends it, too: then what
runs is ended before others can have the jobs, outcomes are kept until the database has judged them, and the worker
enlists anew.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pgqueue.events import Finished, Observer, Trouble, WorkerStarted, WorkerStopping
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
from pgqueue.worker.outbox import Outbox

# Exit codes: stopped as asked; stopped by force; to be started again (its lease was lost).
STOPPED, FORCED, RETIRED = 0, 1, 75
# How often the main thread looks at the lease; it has nothing else to do.
LOOK_EVERY = 0.5
# The last outcomes are written within this, or left to the reaper; and so if there is no time to lose.
FLUSH_TIMEOUT, KILL_TIMEOUT = 5.0, 1.0
# What a thread still runs cannot be ended but with the process: it is not claimable before that is gone.
THREAD_RELEASE_DELAY = 5.0
# One statement of the claim loop may take this share of its longest turn: it gives up before it counts as hanging.
STATEMENT_SHARE = 0.75
# A signal that comes twice within this was sent twice by a wrapper, such as timeout(1), and means it once.
SAME_SIGNAL = 0.25
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a worker works; the meaning of each is told by Worker."""

    dsn: str
    queues: Sequence[str] | None
    executor: Literal["process", "thread", "async"]
    tasks: Settings
    burst: bool
    poll: float
    lease: float
    shutdown_timeout: float
    listen_dsn: str | None = None
    poll_only: bool = False


class Enlistment:
    """The worker row with a fresh id, and all that works under it. Serves once."""

    def __init__(
        self, settings: WorkerSettings, attention: Attention, asked_to_stop: Callable[[], bool], observe: Observer
    ) -> None:
        self.id = secrets.randbits(63)
        self._settings = settings
        self._attention = attention
        self._asked_to_stop = asked_to_stop
        self._observe = observe
        self._lost: str | None = None
        self._outbox = Outbox(lambda first: self._claimer.outcomes_waiting(first))
        self._executor = EXECUTORS[settings.executor](settings.tasks, self._outbox.add, observe)
        self._listener = Listener(
            self.id,
            settings.listen_dsn or settings.dsn,
            settings.queues,
            observe,
            lambda queue: self._claimer.wake(queue),
            told=settings.listen_dsn is not None,
        )
        self._claimer = Claimer(
            self.id,
            settings.dsn,
            settings.queues,
            Slots(
                settings.tasks.concurrency,
                self._executor.submit,
                self._executor.load,
                self._executor.give_back,
                self._executor.terms,
            ),
            self._outbox,
            observe,
            poll=settings.poll,
            burst=settings.burst,
            hungry=self._listener.hungry,
            deaf=lambda: self._listener.deaf,
            evicted=self._evicted,
            deadline=self._longest_turn() * STATEMENT_SHARE,
        )
        self._heartbeat = Heartbeat(
            self.id,
            settings.dsn,
            observe,
            lease=settings.lease,
            poll=settings.poll,
            turning=self._turning,
            evicted=self._evicted,
        )

    def serve(self) -> int | None:
        """Work to the end; answers the exit code, or None after an outage that outlasted the lease.

        Raises AppError, DatabaseUnreachable and SchemaError if it cannot begin.
        """
        with open_connection(self._settings.dsn, "worker") as conn:
            require_schema(conn)
        # Importing the app may take longer than a lease: that begins only when the worker can work.
        self._executor.start()
        try:
            self._enlist()
        except BaseException:
            self._executor.stop(0)
            raise
        self._heartbeat.loop.start()
        if not self._settings.poll_only:
            self._listener.loop.start()
        self._claimer.loop.start()
        settings = self._settings
        self._observe(WorkerStarted(self.id, settings.queues or [], settings.executor, settings.tasks.concurrency))
        return self._supervise()

    def _enlist(self) -> None:
        settings = self._settings
        with open_connection(settings.dsn, "worker") as conn:
            sent_at = time.monotonic()
            lease = timedelta(seconds=settings.lease)
            host, pid, concurrency = socket.gethostname(), os.getpid(), settings.tasks.concurrency
            execute(conn, workers.enlist(self.id, host, pid, settings.queues, settings.executor, concurrency, lease))
        self._heartbeat.acknowledged(sent_at)

    def _supervise(self) -> int | None:
        while True:
            for number in self._attention.wait(self._patience()):
                if number in STOP_SIGNALS:
                    return self._stop_gracefully(number.name)
                if number == signal.SIGTSTP:
                    self._claimer.quiet()
                elif number == signal.SIGCONT:
                    self._claimer.go_on()
            if self._asked_to_stop():
                return self._stop_gracefully("stop() was called")
            if self._settings.burst and self._claimer.drained:
                return self._stop_gracefully("nothing is due")
            if self._lease_is_gone():
                return self._outlast_outage() if self._is_outage() else self._retire()

    def _patience(self) -> float:
        if self._settings.burst:
            return 0.02
        # Not a moment later than the lease can be believed in.
        return max(0.0, min(LOOK_EVERY, self._heartbeat.safe_until - time.monotonic()))

    def _lease_is_gone(self) -> bool:
        return self._lost is not None or time.monotonic() >= self._heartbeat.safe_until

    def _is_outage(self) -> bool:
        """Whether the lease passed because the database was away, not because this worker was."""
        return self._lost is None and not self._heartbeat.loop.connected

    def _stop_gracefully(self, why: str) -> int:
        self._observe(WorkerStopping(self.id, why))
        began = time.monotonic()
        self._claimer.quiet()
        left: list[Leftover] = []
        stopping = threading.Thread(
            target=lambda: left.extend(self._executor.stop(self._settings.shutdown_timeout)), daemon=True
        )
        stopping.start()
        while stopping.is_alive():
            again = any(number in STOP_SIGNALS for number in self._attention.wait(0.05))
            if again and time.monotonic() - began > SAME_SIGNAL:
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
        why = self._lost or "no heartbeat was acknowledged for almost a lease"
        self._observe(WorkerStopping(self.id, f"lease lost: {why}"))
        self._claimer.quiet()
        self._release(self._executor.stop(0))
        self._end_roles(KILL_TIMEOUT)
        return RETIRED

    def _outlast_outage(self) -> int | None:
        """End what runs, then wait for the database: every outcome is written, or refused as late, before the end."""
        self._observe(
            Trouble("worker", "the database was away for almost a lease", "what ran was ended, and runs again later")
        )
        self._claimer.quiet()
        self._release(self._executor.stop(0))
        while len(self._outbox) or not self._claimer.loop.connected:
            stop = any(number in STOP_SIGNALS for number in self._attention.wait(LOOK_EVERY))
            if stop or self._asked_to_stop():
                self._end_roles(KILL_TIMEOUT)
                return STOPPED
        self._end_roles(KILL_TIMEOUT)
        return None

    def _release(self, left: Sequence[Leftover]) -> None:
        running_on = self._settings.executor != "process"
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
        while (self._claimer.at_work or len(self._outbox)) and time.monotonic() < deadline:
            self._claimer.loop.hurry()
            time.sleep(0.005)
        ended = self._claimer.loop.stop(max(0.1, deadline - time.monotonic()))
        self._heartbeat.loop.stop(1.0)
        self._discharge(clean=ended and self._claimer.clean)

    def _discharge(self, *, clean: bool) -> None:
        try:
            with open_connection(self._settings.dsn, "worker") as conn:
                execute(conn, workers.discharge(self.id, clean=clean))
                if not clean:
                    execute(conn, workers.reap())
        except Exception:  # The lease ends by itself; a worker that is leaving has nobody to tell.
            return

    def _evicted(self, why: str) -> None:
        self._lost = why
        self._attention.call()

    def _turning(self) -> bool:
        return time.monotonic() - self._claimer.loop.turned_at < self._longest_turn()

    def _longest_turn(self) -> float:
        """A claim loop that has not turned for so many seconds hangs."""
        return max(self._settings.lease, 2 * self._settings.poll)
