"""The faults themselves: each is done to the workers, its links or the server, and undone when its time has come."""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable

import psycopg

from pgqueue.embedded import Server
from pgqueue.errors import DatabaseUnreachable
from pgqueue.store.connection import open_connection
from pgqueue.verify.aims import Aim
from pgqueue.verify.proxy import Link
from pgqueue.verify.schedule import Fault, Kind
from pgqueue.verify.tally import Tally
from pgqueue.verify.targeted_faults import TargetedFaults
from pgqueue.verify.workers import LEASE, Workers, WorkerSlot

BACKENDS = """
select pid from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
order by pid
"""
TERMINATE = "select pg_terminate_backend(%s)"
# Past the lease: so long is a worker stopped, a link silent, the server away.
PAST_LEASE = (1.1 * LEASE, 2.2 * LEASE)
# Those that wait for somebody to hit, and for whom, one time after the other.
AIMS = {
    Kind.KILL_ONCE: (Aim.ONCE,),
    Kind.KILL_WROTE: (Aim.WROTE,),
    Kind.KILL_CHILD: (Aim.IN_CHILD,),
    Kind.STOP_WORKER: (Aim.ANY, Aim.SUCCEEDING, Aim.FAILING, Aim.LASTING),
}


class Faults:
    """Carries a schedule out; `before_restart` is called while the server still answers, `say` after each fault."""

    def __init__(
        self,
        dsn: str,
        workers: Workers,
        server: Server | None,
        tally: Tally,
        before_restart: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self.count = 0
        self._dsn = dsn
        self._workers = workers
        self._server = server
        self._tally = tally
        self._before_restart = before_restart
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._say = say
        self._begun: Counter[Kind] = Counter()
        self._began = time.monotonic()
        self._pending = TargetedFaults(dsn, workers, tally, self._done)

    def happen(self, fault: Fault) -> None:
        """Do it, if it can be done now; one that aims at somebody, as soon as there is somebody."""
        dice = random.Random(fault.roll)
        if aims := AIMS.get(fault.kind):
            self._begun[fault.kind] += 1
            self._pending.begin(fault.kind, aims[self._begun[fault.kind] % len(aims)], dice)
        elif said := self._do(fault.kind, dice):
            self._done(fault.kind, said)

    def _do(self, kind: Kind, dice: random.Random) -> str | None:
        slot = dice.choice(self._workers.slots)
        match kind:
            case Kind.KILL_WORKER:
                self._workers.kill(slot)
                return f"SIGKILL to {_workers([slot])}"
            case Kind.STOP_ALL:
                return self._stop(dice, self._workers.slots)
            case Kind.TERM_WORKER:
                self._workers.terminate(slot)
                return f"SIGTERM to {_workers([slot])}"
            case Kind.KILL_BACKEND | Kind.KILL_BACKENDS:
                return self._kill_backends(kind, dice)
            case Kind.CUT | Kind.LOSE_REPLIES | Kind.SILENCE if not slot.proxy.links:
                return None
            case Kind.CUT:
                return f"{slot.proxy.cut()} links of worker {slot.pid} cut"
            case Kind.LOSE_REPLIES:
                return f"{slot.proxy.lose_replies()} links of worker {slot.pid} lose their next reply, and end"
            case Kind.SILENCE:
                return self._silence(dice, slot)
            case _:
                return self._restart(kind, dice)

    def _done(self, kind: Kind, said: str) -> None:
        self.count += 1
        self._tally.add(kind)
        self._say(f"{time.monotonic() - self._began:6.1f} s  {said}")

    def tick(self) -> None:
        """Go on with what has begun, and undo what is over."""
        self._pending.tick()
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()

    def undo_all(self) -> None:
        """Undo everything, now."""
        self._pending.end()
        later, self._later = sorted(self._later), []
        for _, _, action in later:
            action()
        for slot in self._workers.slots:
            self._workers.go_on(slot, slot.pid)
        self._later.clear()

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._order), action))

    def _stop(self, dice: random.Random, slots: list[WorkerSlot]) -> str | None:
        stopped = [slot for slot in slots if self._workers.stop(slot)]
        if not stopped:
            return None
        seconds = dice.uniform(*PAST_LEASE)
        for slot in stopped:
            self._after(seconds, lambda slot=slot, pid=slot.pid: self._workers.go_on(slot, pid))  # type: ignore[misc]
        return f"SIGSTOP to {_workers(stopped)} for {seconds:.1f} s"

    def _silence(self, dice: random.Random, slot: WorkerSlot) -> str:
        links = slot.proxy.silence()
        seconds = dice.uniform(0.5 * LEASE, PAST_LEASE[1])
        resumes = dice.random() < 0.5
        self._tally.add("half-open links", len(links))
        self._after(seconds, lambda: _end_silence(links, resumes))
        then = "then they speak again" if resumes else "then they end"
        return f"{len(links)} links of worker {slot.pid} silent for {seconds:.1f} s, {then}"

    def _kill_backends(self, kind: Kind, dice: random.Random) -> str | None:
        try:
            with open_connection(self._dsn, "verify") as conn:
                pids = [pid for (pid,) in conn.execute(BACKENDS)]
                if not pids:
                    return None
                chosen = pids if kind is Kind.KILL_BACKENDS else [dice.choice(pids)]
                for pid in chosen:
                    conn.execute(TERMINATE, [pid])
        except (DatabaseUnreachable, psycopg.OperationalError):
            return None
        return f"{len(chosen)} of {len(pids)} backends terminated"

    def _restart(self, kind: Kind, dice: random.Random) -> str | None:
        server = self._server
        # One outage after the other.
        if server is None or not server.ready:
            return None
        self._before_restart()
        server.stop("immediate" if kind is Kind.RESTART_IMMEDIATE else "fast")
        if kind is not Kind.OUTAGE:
            server.start()
            return f"the server was restarted ({'immediate' if kind is Kind.RESTART_IMMEDIATE else 'fast'})"
        seconds = dice.uniform(*PAST_LEASE)
        self._after(seconds, server.start)
        return f"the server is away for {seconds:.1f} s"


def _end_silence(links: list[Link], resumes: bool) -> None:
    for link in links:
        if resumes:
            link.flowing.set()
        else:
            link.end()


def _workers(slots: list[WorkerSlot]) -> str:
    if len(slots) == 1:
        return f"worker {slots[0].pid} ({slots[0].executor})"
    return f"{len(slots)} workers"
