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
# In seconds, and leases: a worker that has not come to its point by then needs a longer lease on this machine.
POINT_SECONDS, POINT_LEASES = 20.0, 5.0
# A play takes a few seconds; one that takes so long hangs.
LIMIT_SECONDS, LIMIT_LEASES = 40.0, 5.0
REPETITIONS = 10
STOPPED, RETIRED = 0, 75


@dataclass(frozen=True, slots=True)
class Played:
    """What came of all plays of a point: the requests seen, whether the point was reached, what was not as it must be
    in any of them, and why there was more than one."""

    seen: list[Request]
    reached: bool
    violations: list[str]
    replayed: list[str]


def play(scenario: Scenario, stage: Stage, point: Point | None = None) -> Played:
    """Play to the end; without a point it only counts.

    Again with a longer lease, if the point was not reached: how far a worker comes within a lease is the machine's
    affair. But what is wrong in any play is wrong on the slowest machine.
    """
    violations: list[str] = []
    replayed: list[str] = []
    for lease in LEASES:
        with _Play(scenario, stage, point, lease) as this:
            violations += this.run()
        if this.reached:
            break
        replayed.append(f"not reached with a lease of {lease:g} s")
    return Played(this.seen, this.reached, violations, replayed)


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
        try:
            if self._worker is not None:
                self._worker.signal(signal.SIGKILL)
            self._stage.open_gate()
            # Wait for it: what it still did would be seen in the next play.
            self._end_rescuer()
        finally:
            self.proxy.close()

    @property
    def seen(self) -> list[Request]:
        return list(self.proxy.numbering.seen)

    @property
    def reached(self) -> bool:
        return self._point is None or self._began

    def run(self) -> list[str]:
        """Play, and check the invariants: what was not as it must be."""
        ended = True
        try:
            faults = self._run_client() if self._scenario.calls else self._run_worker()
        except _Hangs as hanging:
            faults, ended = [str(hanging)], False
        faults += self._scenario.check(self._stage, ended)
        if faults and self._worker is not None:
            faults[-1] += f"; the worker's log:\n{self._worker.log}"
        return faults

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
        limit = POINT_SECONDS + POINT_LEASES * self._lease
        self._comes(lambda: self._began or not worker.running or stage.all_ended(), limit)
        if not self._began:
            self._tell_to_stop()
            self._await(lambda: self._began or not worker.running, "the worker's end")
        if self._began:
            # Whoever takes over is in the midst of it when the other comes back.
            stage.shut_gate()
            if self._point is not None and self._point.action.hands_over and not scenario.alone:
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
        killed = self._point is not None and self._point.action in KILLS
        if worker.code in (STOPPED, RETIRED) or killed or not worker.started:
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
        limit = LIMIT_SECONDS + LIMIT_LEASES * self._lease
        if not self._comes(condition, limit):
            raise _Hangs(f"after {limit:g} s not {what}")

    def _comes(self, condition: Callable[[], object], limit: float) -> bool:
        """Wait, and stop the worker gracefully when its scenario says so."""
        deadline = time.monotonic() + limit
        while not condition():
            if time.monotonic() > deadline:
                return False
            when = self._scenario.signal_when
            if when is not None and not self._told_to_stop and self._stage.ask(when):
                self._tell_to_stop()
            time.sleep(0.05)
        return True
