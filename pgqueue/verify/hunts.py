"""The hunts: faults that wait until somebody runs whom it is dangerous to hit, and then hit at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from pgqueue.errors import DatabaseUnreachable
from pgqueue.store.connection import open_connection
from pgqueue.verify.aims import Aim, Victim, is_taken_over, victims
from pgqueue.verify.crew import LEASE, Crew, Place
from pgqueue.verify.schedule import Kind
from pgqueue.verify.tally import Tally

# What is said when it was done, and by what name it is counted.
Done = Callable[[Kind, str], None]

# So long is somebody looked for; then the fault does not take place.
PATIENCE = 20.0
LOOK_EVERY = 0.1
# If nobody takes a stopped worker's job over: there is nobody.
TAKEN_OVER_LIMIT = 6 * LEASE
WOKE = "stopped workers that woke while another ran their job"


@dataclass(slots=True, eq=False)
class Hunt:
    """A fault under way; `stopped` is the victim that has been hit and waits to wake, with its place."""

    kind: Kind
    aim: Aim
    dice: random.Random
    until: float
    stopped: tuple[Victim, Place] | None = None


class Hunts:
    """All that are under way, looked after by tick()."""

    def __init__(self, dsn: str, crew: Crew, tally: Tally, done: Done) -> None:
        self._dsn = dsn
        self._crew = crew
        self._tally = tally
        self._done = done
        self._hunts: list[Hunt] = []
        self._look_at = 0.0

    def begin(self, kind: Kind, aim: Aim, dice: random.Random) -> None:
        """Look for somebody from now on."""
        self._hunts.append(Hunt(kind, aim, dice, time.monotonic() + PATIENCE))
        self._look_at = 0.0

    def end(self) -> None:
        """Begin nothing more; the crew wakes whom it has stopped."""
        self._hunts.clear()

    def tick(self) -> None:
        """Look again, if it is time to."""
        if not self._hunts or time.monotonic() < self._look_at:
            return
        try:
            with open_connection(self._dsn, "verify") as conn:
                self._hunts = [hunt for hunt in self._hunts if not self._is_over(conn, hunt)]
        except (DatabaseUnreachable, psycopg.OperationalError):
            # It is away, by some other fault.
            self._hunts = [hunt for hunt in self._hunts if not self._is_late(hunt)]
        self._look_at = time.monotonic() + LOOK_EVERY

    def _is_over(self, conn: psycopg.Connection[object], hunt: Hunt) -> bool:
        if hunt.stopped is not None:
            victim, place = hunt.stopped
            if (runs := is_taken_over(conn, victim)) is not None:
                # If it is still there: another fault may have killed it.
                self._tally.add(WOKE, int(runs and place.pid == victim.worker_pid and place.told is None))
                self._crew.go_on(place, victim.worker_pid)
                return True
            return self._is_late(hunt)
        found = victims(conn, hunt.aim)
        if hunt.kind is not Kind.STOP_WORKER:
            hunt.dice.shuffle(found)
        has_hit = any(self._hit(hunt, victim) for victim in found)
        return (has_hit and hunt.stopped is None) or self._is_late(hunt)

    def _is_late(self, hunt: Hunt) -> bool:
        """Whether it has taken too long; it is given up then."""
        if time.monotonic() < hunt.until:
            return False
        if hunt.stopped is not None:
            victim, place = hunt.stopped
            self._crew.go_on(place, victim.worker_pid)
        return True

    def _hit(self, hunt: Hunt, victim: Victim) -> bool:
        """Whether it could be hit; if not, another victim is needed."""
        place = self._crew.place_of(victim.worker_pid)
        if place is None or place.told is not None or place.stopped:
            return False
        worker = f"worker {place.pid} ({place.executor})"
        match hunt.kind:
            case Kind.STOP_WORKER:
                self._crew.stop(place)
                hunt.stopped, hunt.until = (victim, place), time.monotonic() + TAKEN_OVER_LIMIT
                self._done(hunt.kind, f"SIGSTOP to {worker} until another runs job {victim.job_id}")
                return True
            case Kind.KILL_ONCE:
                self._crew.kill(place)
                said = f"SIGKILL to {worker}"
            case _ if victim.in_child:
                self._crew.kill_child(place, victim.pid)
                said = f"SIGKILL to child {victim.pid} of {worker}"
            case _:
                self._crew.kill(place)
                said = f"SIGKILL to {worker}"
        self._done(hunt.kind, f"{said}, which ran job {victim.job_id}")
        return True
