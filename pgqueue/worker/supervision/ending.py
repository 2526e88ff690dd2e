"""How an enlistment ends: as asked, by force, for a fresh process, with its lease, or with an outage that outlasts it.

Whatever the way, each claim is reported, given back, or left to the reaper, and every outcome is written if the
database can be reached.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg

from pgqueue.events import Finished, Observer, Trouble, WorkerStopping
from pgqueue.judge import UNKNOWN, judge
from pgqueue.outcome import Released
from pgqueue.store import execute, workers
from pgqueue.store.connection import open_connection
from pgqueue.store.locks import LOCK_PATIENCE
from pgqueue.worker.executors.base import Leftover
from pgqueue.worker.loop import require_commits
from pgqueue.worker.settings import WorkerSettings
from pgqueue.worker.supervision.roles import Roles
from pgqueue.worker.supervision.signals import Calls

# Exit codes: stopped as asked; stopped by force; to be started again, because this process should not go on.
STOPPED, FORCED, RETIRED = 0, 1, 75
# The last outcomes are written within this, or left to the reaper; and so if there is no time to lose.
FLUSH_TIMEOUT, KILL_TIMEOUT = 5.0, 1.0
# Whatever the database does, a stop takes no longer than its timeout and this, and the process is gone within two
# seconds; the last of it is for the farewell.
STOP_EXTRA, FAREWELL = 1.4, 0.6
# What a thread still runs cannot be ended but with the process: it is not claimable before that is gone.
THREAD_RELEASE_DELAY = 5.0
# A signal that comes twice within this was sent twice by a wrapper, such as timeout(1), and means it once.
SAME_SIGNAL = 0.25
# How often an outage is looked at.
LOOK_EVERY = 0.5
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# A second one of these ends the worker by force. A terminal that closes says HUP more than once, and means it once.
FORCE_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """The ways out; the main thread takes one of them, once."""

    def __init__(
        self,
        worker: int,
        settings: WorkerSettings,
        roles: Roles,
        signals: Calls,
        asked_to_stop: Callable[[], bool],
        lost: Callable[[], str | None],
        retiring: Callable[[], str | None],
        observe: Observer,
    ) -> None:
        self._worker = worker
        self._settings = settings
        self._roles = roles
        self._signals = signals
        self._asked_to_stop = asked_to_stop
        self._lost = lost
        self._retiring = retiring
        self._observe = observe

    def stop(self, why: str, code: int = STOPPED) -> int:
        """Let what runs finish for `shutdown_timeout`, and give back the rest, with its attempts."""
        self._say_stopping(WorkerStopping(self._worker, why, code))
        began = time.monotonic()
        self._roles.claimer.quiet()
        left: list[Leftover] = []
        stopping = _in_thread(lambda: left.extend(self._roles.executor.stop(self._settings.shutdown_timeout)))
        while stopping.is_alive():
            again = any(number in FORCE_SIGNALS for number in self._signals.wait(0.05))
            if again and time.monotonic() - began > SAME_SIGNAL:
                return self._stop_at_once(stopping, left)
            if (lost := self._lost()) is not None:
                return self.retire(lost)
        self._give_back(left)
        left_over = began + self._settings.shutdown_timeout + STOP_EXTRA - time.monotonic()
        self._end_roles(min(FLUSH_TIMEOUT, max(0.0, left_over - FAREWELL)))
        return code

    def retire(self, why: str) -> int:
        """The jobs are, or will soon be, somebody else's: end what runs first, then tell what was late."""
        self._end_what_runs()
        self._say_stopping(WorkerStopping(self._worker, f"lease lost: {why}", RETIRED))
        self._end_roles(KILL_TIMEOUT)
        return RETIRED

    def enlist_anew(self, why: str) -> int | None:
        """End what runs, then wait for the database: every outcome is written, or refused as late, before the end.

        Answers None: this process goes on, under a fresh id.
        """
        self._end_what_runs()
        self._observe(Trouble("worker", why, "what ran was ended, and runs again later"))
        claimer = self._roles.claimer
        outbox = self._roles.outbox
        while len(outbox) > outbox.refused or not claimer.loop.connected:
            stop = any(number in STOP_SIGNALS for number in self._signals.wait(LOOK_EVERY))
            if stop or self._asked_to_stop():
                self._end_roles(KILL_TIMEOUT)
                return STOPPED
            if (reason := self._retiring()) is not None:
                self._say_stopping(WorkerStopping(self._worker, f"retiring: {reason}", RETIRED))
                self._end_roles(KILL_TIMEOUT)
                return RETIRED
        self._end_roles(KILL_TIMEOUT)
        return None

    def _say_stopping(self, event: WorkerStopping) -> None:
        self._observe(event)
        self._roles.teller.hear(event)

    def _stop_at_once(self, stopping: threading.Thread, left: Sequence[Leftover]) -> int:
        self._roles.executor.kill()
        # Threads cannot be killed; they end with the process.
        stopping.join(KILL_TIMEOUT)
        self._give_back(tuple(left))
        self._end_roles(KILL_TIMEOUT)
        return FORCED

    def _end_what_runs(self) -> None:
        """At once, before anything that may wait: another worker may have the jobs in a moment."""
        self._roles.claimer.quiet()
        self._give_back(self._roles.executor.fence())

    def _give_back(self, left: Sequence[Leftover]) -> None:
        running_on = self._settings.executor != "process"
        released = [
            Finished(
                leftover.claim,
                judge(
                    leftover.claim,
                    Released(
                        THREAD_RELEASE_DELAY if leftover.started and running_on else 0.0,
                        leftover.started,
                        why=f"its worker ended {'while it ran' if leftover.started else 'before it began'}",
                    ),
                    self._roles.executor.terms(leftover.claim.target) or UNKNOWN,
                ),
                0.0,
            )
            for leftover in left
        ]
        if released:
            self._roles.outbox.add(released)

    def _end_roles(self, flush_timeout: float) -> None:
        """Write what is left for `flush_timeout` seconds, and be gone FAREWELL later; the lease ends by itself."""
        roles = self._roles
        deadline = time.monotonic() + flush_timeout
        roles.listener.stop(0.1)
        while (roles.claimer.at_work or len(roles.outbox)) and time.monotonic() < deadline:
            roles.claimer.loop.hurry()
            time.sleep(0.005)
        ended = roles.claimer.stop(max(0.1, deadline - time.monotonic()))
        roles.heartbeat.loop.stop(0.1)
        farewell = _in_thread(lambda: self._discharge(ended and roles.claimer.clean))
        # Hooks are told of the end, and of what was written last, while there is time.
        roles.teller.stop(max(0.1, deadline - time.monotonic()))
        if farewell.is_alive():
            farewell.join(max(FAREWELL, deadline - time.monotonic()))

    def _discharge(self, clean: bool) -> None:
        deadline = time.monotonic() + KILL_TIMEOUT
        while True:
            try:
                with open_connection(
                    self._settings.dsn, "worker", deadline=KILL_TIMEOUT, settings=LOCK_PATIENCE
                ) as conn:
                    require_commits(conn)
                    # What cannot be appended is made up by another worker.
                    with suppress(psycopg.Error):
                        self._roles.lines.flush(conn)
                    with suppress(psycopg.Error):
                        self._roles.progress.flush(conn)
                    with suppress(psycopg.Error):
                        self._roles.tallies.append(conn, last=clean)
                    execute(conn, workers.discharge(self._worker, clean=clean))
                    if not clean:
                        execute(conn, workers.reap())
                return
            except Exception:  # The lease ends by itself; a worker that is leaving has nobody to tell.
                if time.monotonic() > deadline:
                    return
                time.sleep(0.05)


def _in_thread(work: Callable[[], None]) -> threading.Thread:
    """Do it in a thread; here and now, if this process can have no more of them."""
    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        work()
    return thread
