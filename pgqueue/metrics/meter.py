"""The observer that counts: attempts, how long they waited and ran, and what befell the worker. Batches, no jobs.

Of a process executor it counts in the worker, which hears of all its children do.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgqueue import events
from pgqueue.events import Event, Finished
from pgqueue.job import trace_of
from pgqueue.metrics.families import histograms, numbers
from pgqueue.metrics.series import Durations, Pair, Series
from pgqueue.outcome import Move

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

_SIGNAL = re.compile(r"signal \d+ \((SIG[A-Z0-9]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """A worker at one moment, and what it is."""

    slots: int
    busy: int
    buffered: int
    lease_left: float
    version: str
    release: str
    executor: str
    python: str


class Meter:
    """Hears events, and tells what it has counted. `timed_step` and `timed_heartbeat` take seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards what follows; held for a batch, and while it is copied
        self._series = Series()
        self._late = 0
        self._fallen: Counter[tuple[str, str]] = Counter()
        self._ended: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._step, self._heartbeat = Durations(), Durations()

    def __call__(self, event: Event) -> None:
        match event:
            case events.AttemptsFinished(batch):
                with self._lock:
                    self._count(batch, event.shift)
            case events.AttemptsLate(batch):
                with self._lock:
                    self._late += len(batch)
            case events.ChildEnded(_, how):
                signal = _SIGNAL.match(how)
                with self._lock:
                    self._ended[signal[1] if signal else "exit"] += 1
            case events.DatabaseLost(role):
                with self._lock:
                    self._lost[role] += 1

    def timed_step(self, seconds: float) -> None:
        """A step was answered after so long."""
        with self._lock:
            self._step.add(seconds)

    def timed_heartbeat(self, seconds: float) -> None:
        """A heartbeat was answered after so long."""
        with self._lock:
            self._heartbeat.add(seconds)

    def collected(self, look: Callable[[], Gauges]) -> Iterable[Family]:
        """All that there is to tell, at this moment."""
        now = look()
        with self._lock:
            pairs = [(pair, dict(of.outcomes), of.run.told(), of.wait.told()) for pair, of in self._series.all()]
            late, ended, lost = self._late, dict(self._ended), dict(self._lost)
            fallen = dict(self._fallen)
            step, heartbeat = self._step.told(), self._heartbeat.told()
        outcomes = {(*pair, outcome): n for pair, found, _, _ in pairs for outcome, n in found.items()}
        yield numbers("pgqueue_attempts_total", outcomes)
        yield numbers("pgqueue_fallbacks_total", fallen)
        yield histograms("pgqueue_attempt_duration_seconds", {pair: run for pair, _, run, _ in pairs})
        yield histograms("pgqueue_wait_seconds", {pair: wait for pair, _, _, wait in pairs})
        yield numbers("pgqueue_late_attempts_total", {(): late})
        yield numbers("pgqueue_children_ended_total", {(how,): n for how, n in ended.items()})
        yield numbers("pgqueue_database_lost_total", {(role,): n for role, n in lost.items()})
        yield histograms("pgqueue_step_duration_seconds", {(): step})
        yield histograms("pgqueue_heartbeat_duration_seconds", {(): heartbeat})
        yield numbers("pgqueue_worker_slots", {(): now.slots})
        yield numbers("pgqueue_worker_slots_busy", {(): now.busy})
        yield numbers("pgqueue_worker_outcomes_buffered", {(): now.buffered})
        yield numbers("pgqueue_worker_lease_remaining_seconds", {(): now.lease_left})
        yield numbers("pgqueue_worker_info", {(now.version, now.release, now.executor, now.python): 1})

    def _count(self, batch: Iterable[Finished], shift: float) -> None:
        # Most of a batch are of one pair.
        last: Pair | None = None
        for done in batch:
            claim = done.claim
            if (claim.queue, claim.target) != last:
                last = claim.queue, claim.target
                counted = self._series.of(*last)
            outcome, fallback = done.settlement.outcome, done.settlement.fallback
            if fallback is not None and done.settlement.move is Move.FALL_BACK:
                self._fallen[claim.target, fallback] += 1
            counted.outcomes[outcome] = counted.outcomes.get(outcome, 0) + 1
            trace = None if claim.headers is None else trace_of(claim.headers)
            if (waited := done.waited(shift)) is not None:
                counted.run.add(done.elapsed, trace)
                counted.wait.add(waited, trace)
