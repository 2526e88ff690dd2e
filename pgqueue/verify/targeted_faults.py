"""Targeted faults: those that wait until somebody runs whom it is dangerous to hit, and then hit at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from pgqueue.errors import DatabaseUnreachable
from pgqueue.store.connection import open_connection
from pgqueue.verify.aims import Aim, Victim, is_taken_over, victims
from pgqueue.verify.schedule import Kind
from pgqueue.verify.tally import Tally
from pgqueue.verify.workers import LEASE, Workers, WorkerSlot

# What is said when it was done, and by what name it is counted.
Done = Callable[[Kind, str], None]

# So long is somebody looked for; then the fault does not take place.
PATIENCE = 20.0
LOOK_EVERY = 0.1
# If nobody takes a stopped worker's job over: there is nobody.
TAKEN_OVER_LIMIT = 6 * LEASE
WOKE = "stopped workers that woke while another ran their job"


@dataclass(slots=True, eq=False)
class TargetedFault:
    """A fault under way; `stopped` is the victim that has been hit and waits to wake, with its slot."""

    kind: Kind
    aim: Aim
    dice: random.Random
    until: float
    stopped: tuple[Victim, WorkerSlot] | None = None


class TargetedFaults:
    """All that are under way, looked after by tick()."""

    def __init__(self, dsn: str, workers: Workers, tally: Tally, done: Done) -> None:
        self._dsn = dsn
        self._workers = workers
        self._tally = tally
        self._done = done
        self._pending: list[TargetedFault] = []
        self._look_at = 0.0

    def begin(self, kind: Kind, aim: Aim, dice: random.Random) -> None:
        """Look for somebody from now on."""
        self._pending.append(TargetedFault(kind, aim, dice, time.monotonic() + PATIENCE))
        self._look_at = 0.0

    def end(self) -> None:
        """Begin nothing more; the workers that were stopped are woken by the one who ends them."""
        self._pending.clear()

    def tick(self) -> None:
        """Look again, if it is time to."""
        if not self._pending or time.monotonic() < self._look_at:
            return
        try:
            with open_connection(self._dsn, "verify") as conn:
                self._pending = [fault for fault in self._pending if not self._is_over(conn, fault)]
        except (DatabaseUnreachable, psycopg.OperationalError):
            # It is away, by some other fault.
            self._pending = [fault for fault in self._pending if not self._is_late(fault)]
        self._look_at = time.monotonic() + LOOK_EVERY

    def _is_over(self, conn: psycopg.Connection[object], fault: TargetedFault) -> bool:
        if fault.stopped is not None:
            victim, slot = fault.stopped
            if (runs := is_taken_over(conn, victim)) is not None:
                # If it is still there: another fault may have killed it.
                self._tally.add(WOKE, int(runs and slot.pid == victim.worker_pid and slot.told is None))
                self._workers.go_on(slot, victim.worker_pid)
                return True
            return self._is_late(fault)
        found = victims(conn, fault.aim)
        if fault.kind is not Kind.STOP_WORKER:
            fault.dice.shuffle(found)
        has_hit = any(self._hit(fault, victim) for victim in found)
        return (has_hit and fault.stopped is None) or self._is_late(fault)

    def _is_late(self, fault: TargetedFault) -> bool:
        """Whether it has taken too long; it is given up then."""
        if time.monotonic() < fault.until:
            return False
        if fault.stopped is not None:
            victim, slot = fault.stopped
            self._workers.go_on(slot, victim.worker_pid)
        return True

    def _hit(self, fault: TargetedFault, victim: Victim) -> bool:
        """Whether it could be hit; if not, another victim is needed."""
        slot = self._workers.slot_of(victim.worker_pid)
        if slot is None or slot.told is not None or slot.stopped:
            return False
        worker = f"worker {slot.pid} ({slot.executor})"
        match fault.kind:
            case Kind.STOP_WORKER:
                self._workers.stop(slot)
                fault.stopped, fault.until = (victim, slot), time.monotonic() + TAKEN_OVER_LIMIT
                self._done(fault.kind, f"SIGSTOP to {worker} until another runs job {victim.job_id}")
                return True
            case Kind.KILL_ONCE:
                self._workers.kill(slot)
                said = f"SIGKILL to {worker}"
            case _ if victim.in_child:
                self._workers.kill_child(slot, victim.pid)
                said = f"SIGKILL to child {victim.pid} of {worker}"
            case _:
                self._workers.kill(slot)
                said = f"SIGKILL to {worker}"
        self._done(fault.kind, f"{said}, which ran job {victim.job_id}")
        return True
