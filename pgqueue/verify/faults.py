"""The faults themselves: each is done to the crew, its links or the server, and undone when its time has come."""

from __future__ import annotations

import heapq
import itertools
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from pgqueue.embedded import Server
from pgqueue.errors import DatabaseUnreachable
from pgqueue.offspring import children_of
from pgqueue.store.connection import open_connection
from pgqueue.verify.crew import LEASE, Crew, Place
from pgqueue.verify.proxy import Link
from pgqueue.verify.schedule import Fault, Kind
from pgqueue.verify.tally import Tally

BACKENDS = """
select pid from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
order by pid
"""
TERMINATE = "select pg_terminate_backend(%s)"
WORKER = "select id from pgqueue.workers where pid = %s order by started_at desc limit 1"
TAKEN_OVER = """
select 1 from pgqueue.jobs as job
join verify.starts as mine on mine.job_id = job.id and mine.claim < job.claim and mine.worker = %s
join verify.starts as theirs on theirs.job_id = job.id and theirs.claim = job.claim
where job.worker is not null limit 1
"""
# If nobody takes over: it had nothing to do, or there is nobody.
TAKEN_OVER_LIMIT = 4 * LEASE
LOOK_EVERY = 0.1
# Past the lease: so long is a worker stopped, a link silent, the server away.
PAST_LEASE = (1.1 * LEASE, 2.2 * LEASE)


class Faults:
    """Carries a schedule out; `before_restart` is called while the server still answers."""

    def __init__(
        self, dsn: str, crew: Crew, server: Server | None, tally: Tally, before_restart: Callable[[], None]
    ) -> None:
        self._dsn = dsn
        self._crew = crew
        self._server = server
        self._tally = tally
        self._before_restart = before_restart
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def happen(self, fault: Fault) -> str | None:
        """Do it; answers what happened, None if it could not."""
        dice = random.Random(fault.roll)
        place = dice.choice(self._crew.places)
        match fault.kind:
            case Kind.KILL_WORKER:
                self._crew.kill(place)
                said = f"SIGKILL to worker {place.pid} ({place.executor})"
            case Kind.KILL_CHILD:
                return self._kill_child(fault.kind, dice)
            case Kind.STOP_WORKER:
                return self._stop_until_taken_over(fault.kind, place)
            case Kind.STOP_ALL:
                return self._stop(fault.kind, dice, self._crew.places)
            case Kind.TERM_WORKER:
                self._crew.terminate(place)
                said = f"SIGTERM to worker {place.pid} ({place.executor})"
            case Kind.KILL_BACKEND | Kind.KILL_BACKENDS:
                return self._kill_backends(fault.kind, dice)
            case Kind.CUT | Kind.LOSE_REPLIES | Kind.SILENCE if not place.proxy.links:
                return None
            case Kind.CUT:
                said = f"{place.proxy.cut()} links of worker {place.pid} cut"
            case Kind.LOSE_REPLIES:
                said = f"{place.proxy.lose_replies()} links of worker {place.pid} lose their next reply, and end"
            case Kind.SILENCE:
                said = self._silence(dice, place)
            case Kind.RESTART_FAST | Kind.RESTART_IMMEDIATE | Kind.OUTAGE:
                return self._restart(fault.kind, dice)
        self._tally.add(fault.kind)
        return said

    def tick(self) -> None:
        """Undo what is over."""
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()

    def undo_all(self) -> None:
        """Undo everything, now."""
        later, self._later = sorted(self._later), []
        for _, _, action in later:
            action()
        for place in self._crew.places:
            self._crew.go_on(place, place.pid)
        self._later.clear()

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._order), action))

    def _kill_child(self, kind: Kind, dice: random.Random) -> str | None:
        place = dice.choice([place for place in self._crew.places if place.executor == "process"])
        children = children_of(place.pid)
        if not children:
            return None
        child = dice.choice(children)
        place.lost_child = True
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        self._tally.add(kind)
        return f"SIGKILL to child {child}"

    def _stop_until_taken_over(self, kind: Kind, place: Place) -> str | None:
        """The most dangerous moment to wake up: another has begun what this one thinks is its own."""
        workers = self._ask(WORKER, [place.pid])
        if not workers or not self._crew.stop(place):
            return None
        began, pid = time.monotonic(), place.pid

        def look() -> None:
            passed = time.monotonic() - began
            if passed > TAKEN_OVER_LIMIT or (passed > LEASE and self._ask(TAKEN_OVER, [workers[0]])):
                self._crew.go_on(place, pid)
            else:
                self._after(LOOK_EVERY, look)

        self._after(LEASE, look)
        self._tally.add(kind)
        return f"SIGSTOP to {_workers([place])} until another runs one of its jobs"

    def _ask(self, query: str, values: list[int]) -> list[int]:
        """A column of the database's answer; nothing while it is away."""
        try:
            with open_connection(self._dsn, "verify") as conn:
                return [value for (value,) in conn.execute(query.encode(), values)]
        except (DatabaseUnreachable, psycopg.OperationalError):
            return []

    def _stop(self, kind: Kind, dice: random.Random, places: list[Place]) -> str | None:
        stopped = [place for place in places if self._crew.stop(place)]
        if not stopped:
            return None
        seconds = dice.uniform(*PAST_LEASE)
        for place in stopped:
            self._after(seconds, lambda place=place, pid=place.pid: self._crew.go_on(place, pid))  # type: ignore[misc]
        self._tally.add(kind)
        return f"SIGSTOP to {_workers(stopped)} for {seconds:.1f} s"

    def _silence(self, dice: random.Random, place: Place) -> str:
        links = place.proxy.silence()
        seconds = dice.uniform(0.5 * LEASE, PAST_LEASE[1])
        resumes = dice.random() < 0.5
        self._tally.add("half-open links", len(links))
        self._after(seconds, lambda: _end_silence(links, resumes))
        then = "then they speak again" if resumes else "then they end"
        return f"{len(links)} links of worker {place.pid} silent for {seconds:.1f} s, {then}"

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
        self._tally.add(kind)
        return f"{len(chosen)} of {len(pids)} backends terminated"

    def _restart(self, kind: Kind, dice: random.Random) -> str | None:
        server = self._server
        # One outage after the other.
        if server is None or not server.ready:
            return None
        self._before_restart()
        server.stop("immediate" if kind is Kind.RESTART_IMMEDIATE else "fast")
        self._tally.add(kind)
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


def _workers(places: list[Place]) -> str:
    if len(places) == 1:
        return f"worker {places[0].pid} ({places[0].executor})"
    return f"{len(places)} workers"
