"""One play of a scenario, with one thing that happens at one request: to the end of all jobs, then the invariants."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psycopg
import sqlalchemy.exc

from pgqueue.errors import PgqueueError
from tests.enumerator.actions import KILLS, Point
from tests.enumerator.proxy import Proxy
from tests.enumerator.requests import Request
from tests.enumerator.scenarios import Scenario
from tests.enumerator.stage import Stage
from tests.enumerator.zygote import ForkedWorker
from tests.worker.running import ThreadedWorker

# Seconds. A worker on a machine that is too busy loses the shortest lease while nothing is done to it.
LEASES = (1.0, 4.0, 10.0)
# In leases: others have the jobs by then.
ABSENT = 2.0
# A play takes a few seconds, and a few leases; one that takes so long hangs.
LIMIT_SECONDS, LIMIT_LEASES = 20.0, 5.0
REPETITIONS = 10
STOPPED, RETIRED = 0, 75


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a play: the requests seen, whether the point was reached, whether it came to its end, and what was
    not as it must be."""

    seen: list[Request]
    reached: bool
    ended: bool
    violations: list[str]


def play(scenario: Scenario, stage: Stage, point: Point | None = None) -> Played:
    """Play to the end; without a point it only counts.

    Again with a longer lease, if the point was not reached or the end did not come: what tables show is wrong on the
    slowest machine, but how far a worker comes within a lease is the machine's affair.
    """
    for lease in LEASES:
        with _Play(scenario, stage, point, lease) as this:
            played = this.run()
        if played.reached and played.ended:
            break
    return played


class _Hangs(Exception):
    """What was waited for did not come."""


class _Play:
    def __init__(self, scenario: Scenario, stage: Stage, point: Point | None, lease: float) -> None:
        self._scenario = scenario
        self._lease = lease
        self._stage = stage
        self._point = point
        self._worker: ForkedWorker | None = None
        self._rescuer: ThreadedWorker | None = None
        self._told_to_stop = False
        plan = dict(scenario.first) if point is None else {**scenario.first, point.request: point.action}
        watched = point.request if point else None
        self.proxy = Proxy(stage.server_port, plan, watched, absent=ABSENT * lease, send_signal=self._signal)

    def __enter__(self) -> Self:
        self._stage.clear(self.proxy.port)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._worker is not None:
            self._worker.signal(signal.SIGKILL)
        if self._rescuer is not None:
            self._rescuer.worker.stop()
        self.proxy.close()

    def run(self) -> Played:
        """Play, and check the invariants."""
        ended = True
        try:
            faults = self._run_client() if self._scenario.calls else self._run_worker()
        except _Hangs as hanging:
            faults, ended = [str(hanging)], False
        faults += self._scenario.check(self._stage)
        if faults and self._worker is not None:
            faults.append(f"its log:\n{self._worker.log}")
        return Played(list(self.proxy.numbering.seen), self._point is None or self._began, ended, faults)

    def _run_client(self) -> list[str]:
        assert self._scenario.calls is not None
        stage = self._stage
        if not self._scenario.empty:
            self._rescue()
        call = self._scenario.calls(stage)
        killed = self._point is not None and self._point.action in KILLS
        faults = []
        for repetition in range(REPETITIONS + 1):
            if repetition == REPETITIONS:
                faults.append(f"the call failed {REPETITIONS} times")
            try:
                call(stage.proxied)
                break
            except (psycopg.Error, sqlalchemy.exc.DBAPIError, PgqueueError):
                if killed:
                    break
        if not self._scenario.empty:
            # What a client had no time to cancel is due now.
            stage.ask("select count(pgqueue.retry(id)) from pgqueue.jobs where run_at > now() + interval '1 minute'")
            self._await(stage.all_ended, "the end of all jobs")
            if not killed:
                # Whoever does not know repeats it, however late.
                call(stage.direct)
                self._await(stage.all_ended, "the end of all jobs, again")
            self._end_rescuer()
        return faults

    def _run_worker(self) -> list[str]:
        stage, scenario, proxy = self._stage, self._scenario, self.proxy
        scenario.setup(stage)
        self._worker = worker = stage.fork_worker(lease=self._lease, **scenario.worker or {})
        self._await(lambda: self._began or not worker.running or stage.all_ended(), "the point")
        if not self._began:
            self._tell_to_stop()
            self._await(lambda: self._began or not worker.running, "the worker's end")
        if self._began:
            # Whoever takes over is in the midst of it when the other comes back.
            stage.shut_gate()
            if self._point is not None and self._point.action.hands_over:
                self._rescue()
            self._await(proxy.over.is_set, "the end of what befell it")
            stage.open_gate()
        self._rescue()
        self._await(stage.all_ended, "the end of all jobs")
        self._tell_to_stop()
        self._await(lambda: not worker.running, "the worker's end")
        self._end_rescuer()
        self._await(lambda: not stage.ask("select count(*) from pgqueue.workers where expires_at > now()"), "no worker")
        return self._faults_of_worker(worker)

    @property
    def _began(self) -> bool:
        return self.proxy.begun.is_set()

    def _faults_of_worker(self, worker: ForkedWorker) -> list[str]:
        """It ends as asked, or because its lease was lost; it may also never have begun."""
        if worker.code in (STOPPED, RETIRED, None) or not worker.started:
            return []
        return [f"the worker exited with {worker.code}"]

    def _signal(self, number: signal.Signals) -> None:
        if self._worker is not None:
            self._worker.signal(number)

    def _tell_to_stop(self) -> None:
        if self._worker is not None and not self._told_to_stop:
            self._told_to_stop = True
            self._worker.signal(signal.SIGTERM)

    def _rescue(self) -> None:
        if self._rescuer is None:
            self._rescuer = self._stage.start_rescuer(lease=5 * self._lease)

    def _end_rescuer(self) -> None:
        if self._rescuer is not None:
            self._rescuer.stop()

    def _await(self, condition: Callable[[], object], what: str) -> None:
        """Wait, and stop the worker gracefully when its scenario says so."""
        limit = LIMIT_SECONDS + LIMIT_LEASES * self._lease
        deadline = time.monotonic() + limit
        while not condition():
            if time.monotonic() > deadline:
                raise _Hangs(f"after {limit:g} s not {what}")
            when = self._scenario.signal_when
            if when is not None and not self._told_to_stop and self._stage.ask(when):
                self._tell_to_stop()
            time.sleep(0.02)
