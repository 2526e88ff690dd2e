"""One enlistment: the roles of one worker id, supervised from the main thread until its end.

It ends as asked, by force, for a fresh process, or with the loss of its lease. An outage that outlasts the lease ends
it, too: then what runs is ended before others can have the jobs, outcomes are kept until the database has judged them,
and the worker enlists anew.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import psycopg

from pgqueue.context import WorkerPhase
from pgqueue.errors import DatabaseUnreachable, HostExhausted
from pgqueue.events import Observer, OrderHeard, WorkerStarted
from pgqueue.host import lack_of
from pgqueue.store import execute, queues, workers
from pgqueue.store.connection import open_connection
from pgqueue.store.locks import LOCK_PATIENCE
from pgqueue.store.schema import require_schema
from pgqueue.store.tenants import require_all
from pgqueue.worker.executors.base import Executor
from pgqueue.worker.job_rights import require_job_rights
from pgqueue.worker.loop import require_commits
from pgqueue.worker.settings import WorkerSettings
from pgqueue.worker.supervision.doubts import doubts
from pgqueue.worker.supervision.dump import dumped
from pgqueue.worker.supervision.ending import LOOK_EVERY, RETIRED, STOP_SIGNALS, Ending
from pgqueue.worker.supervision.health import Health, Phase
from pgqueue.worker.supervision.requests import Requests
from pgqueue.worker.supervision.roles import MakeExecutor, Timings, longest_turn, make_roles
from pgqueue.worker.supervision.signals import Calls
from pgqueue.worker.upkeep.clock import lease_clock
from pgqueue.worker.upkeep.releases import note_release

# The main thread looks twice a second; when so much of a lease passed between two looks, it was this process that was
# away: stopped, starved, or asleep with its machine.
AWAY_SHARE = 1 / 3


class Enlistment:
    """The worker row with a fresh id, and all that works under it. Serves once."""

    def __init__(
        self,
        settings: WorkerSettings,
        signals: Calls,
        asked_to_stop: Callable[[], bool],
        observe: Observer,
        timings: Timings,
        make_executor: MakeExecutor | None = None,
    ) -> None:
        self.id = secrets.randbits(63)
        self._settings = settings
        self._signals = signals
        self._asked_to_stop = asked_to_stop
        self._observe = observe
        self._requests = Requests(signals.wake)
        self._roles = make_roles(self.id, settings, self._requests, observe, timings, make_executor)
        self._ending = Ending(
            self.id, settings, self._roles, signals, asked_to_stop, self._why_lost, self._why_retire, observe
        )
        self._phase = Phase.STARTING
        self._asked: str | None = None
        # The queues that have jobs, if this worker was told which to serve.
        self._used: list[str] = []
        self._looked_at = lease_clock()

    def serve(self) -> int | None:
        """Work to the end; answers the exit code, or None after an outage that outlasted the lease.

        Raises AppError, DatabaseUnreachable (HostExhausted) and SchemaError if it cannot begin.
        """
        with open_connection(self._settings.dsn, "worker") as conn:
            require_schema(conn)
            require_commits(conn)
            require_all(conn)
            require_job_rights(conn, self._settings.tasks.rights)
        roles, settings = self._roles, self._settings
        # Importing the app may take longer than a lease: that begins only when the worker can work.
        start_executor(roles.executor)
        roles.teller.look()
        try:
            self._enlist()
        except BaseException:
            roles.executor.stop(0)
            raise
        roles.heartbeat.loop.start()
        if not settings.poll_only:
            roles.listener.loop.start()
        roles.claimer.loop.start()
        self._phase = Phase.WORKING
        tasks = sorted(roles.executor.targets())
        found = list(doubts(settings.queues.queues, self._used, settings.tasks.modules, len(tasks)))
        executor, concurrency = settings.executor, settings.tasks.concurrency
        started = WorkerStarted(self.id, settings.queues.said or [], executor, concurrency, tasks, found)
        self._observe(started)
        roles.teller.hear(started)
        return self._supervise()

    @property
    def why_retire(self) -> str | None:
        """Why this process should not go on, if so."""
        return self._requests.retire

    def health(self) -> Health:
        """How it is, at this moment; from any thread."""
        roles = self._roles
        stuck, busy_since = roles.claimer.stuck(), roles.claimer.loop.busy_since
        return Health(
            worker=self.id,
            phase=Phase.QUIET if self._phase is Phase.WORKING and roles.claimer.is_quiet else self._phase,
            lease_left=roles.heartbeat.lease_left if self._phase is not Phase.STARTING else self._settings.lease,
            answered=roles.claimer.loop.connected and not roles.heartbeat.unanswered,
            silent=lease_clock() - self._looked_at,
            claimer_silent=time.monotonic() - roles.claimer.loop.turned_at,
            heartbeat_silent=time.monotonic() - roles.heartbeat.loop.turned_at,
            longest_turn=longest_turn(self._settings),
            jobs=roles.executor.load(),
            outbox=len(roles.outbox),
            refused=None if stuck is None else stuck.why,
            waited=0.0 if busy_since is None else time.monotonic() - busy_since,
        )

    def _enlist(self) -> None:
        settings = self._settings
        with open_connection(settings.dsn, "worker") as conn:
            sent_at = lease_clock()
            lease = timedelta(seconds=settings.lease)
            host, pid, concurrency = socket.gethostname(), os.getpid(), settings.tasks.concurrency
            once = self._roles.declarations.known()
            execute(
                conn,
                workers.enlist(self.id, host, pid, settings.queues.said, settings.executor, concurrency, lease, once),
            )
        self._roles.heartbeat.acknowledged(sent_at)
        self._roles.declarations.made(once)
        # It has begun, and nobody beats yet: no lock is waited for, and what the database does not answer now is no
        # reason to end. The chores ask again.
        with (
            suppress(psycopg.OperationalError, DatabaseUnreachable),
            open_connection(settings.dsn, "worker", settings=LOCK_PATIENCE) as conn,
        ):
            self._roles.secrecies.look(conn)
            self._roles.declarations.declare_follows(conn)
            self._roles.fallbacks.look(conn)
            self._used = execute(conn, queues.names()) if settings.queues.queues else []
            self._roles.queue_settings.begin(conn)
            self._roles.declared_rules.begin(conn)
            self._roles.unknown.begin(conn, burst=settings.burst)
            note_release(conn)

    def _supervise(self) -> int | None:
        while True:
            self._looked_at = lease_clock()
            for number in self._signals.wait(self._patience()):
                if number in STOP_SIGNALS:
                    return self._end(self._ending.stop, number.name)
                self._heed(number)
            self._heed_asked()
            if (why := self._why_stop()) is not None:
                return self._end(self._ending.stop, why)
            if (why := self._requests.renew) is not None:
                self._phase = Phase.WAITING
                return self._ending.enlist_anew(why)
            if (why := self._why_lost()) is not None:
                if self._is_outage():
                    self._phase = Phase.WAITING
                    return self._ending.enlist_anew("the database was away for almost a lease")
                return self._end(self._ending.retire, why)
            if (why := self._why_retire()) is not None:
                return self._end(lambda why: self._ending.stop(why, RETIRED), f"retiring: {why}")

    def _end(self, way: Callable[[str], int], why: str) -> int:
        self._phase = Phase.STOPPING
        return way(why)

    def _patience(self) -> float:
        if self._settings.burst:
            return 0.02
        # Not a moment later than the lease can be believed in.
        return max(0.0, min(LOOK_EVERY, self._roles.heartbeat.lease_left))

    def _heed(self, number: signal.Signals) -> None:
        claimer, executor = self._roles.claimer, self._roles.executor
        match number:
            case signal.SIGTSTP:
                claimer.quiet("signal")
                self._tell_phase()
                self._observe(OrderHeard(self.id, "quiet", number.name))
            case signal.SIGCONT:
                claimer.go_on("signal")
                self._tell_phase()
                self._observe(OrderHeard(self.id, "resume", number.name))
            case signal.SIGUSR1:
                self._observe(OrderHeard(self.id, "kill", number.name))
                executor.crash_running()
            case signal.SIGTTIN:
                self._observe(dumped(self.id, self.health(), self._roles))

    def _tell_phase(self) -> None:
        """What can be given up half-way, a quiet worker gives up: it is about to end."""
        quiet = self._roles.claimer.is_quiet
        self._roles.executor.tell_phase(WorkerPhase.QUIET if quiet else WorkerPhase.WORKING)

    def _heed_asked(self) -> None:
        """What a human asks for by the worker's row; a stop is another way."""
        asked = self._requests.asked
        if asked == self._asked:
            return
        if asked == "quiet":
            self._roles.claimer.quiet("asked")
            self._tell_phase()
            self._observe(OrderHeard(self.id, "quiet", "pgqueue workers quiet"))
        elif self._asked == "quiet":
            self._roles.claimer.go_on("asked")
            self._tell_phase()
            self._observe(OrderHeard(self.id, "resume", "pgqueue workers resume"))
        self._asked = asked

    def _why_stop(self) -> str | None:
        if self._asked_to_stop():
            return "stop() was called"
        if self._asked == "stop":
            return "pgqueue workers stop"
        if self._settings.burst and self._roles.claimer.drained:
            return "nothing is due"
        return None

    def _why_retire(self) -> str | None:
        return self._requests.retire

    def _why_lost(self) -> str | None:
        if self._requests.lost is not None:
            return self._requests.lost
        gone = self._roles.heartbeat.lease_left <= 0
        return "no heartbeat was acknowledged for almost a lease" if gone else None

    def _is_outage(self) -> bool:
        """Whether the lease passed because the database was away, not because this worker was."""
        present = lease_clock() - self._looked_at < self._settings.lease * AWAY_SHARE
        return self._requests.lost is None and self._roles.heartbeat.unanswered and present


def start_executor(executor: Executor) -> None:
    """Start it. Raises AppError, and HostExhausted if this machine has too little for it."""
    try:
        executor.start()
    except (OSError, RuntimeError, MemoryError) as error:
        if (lack := lack_of(error, forking=True)) is None:
            raise
        raise HostExhausted(f"this machine has run out of something that the executor needs: {lack}") from error
