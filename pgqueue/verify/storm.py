"""The storm: producers and a human operator at work while faults happen, and the calm in which all of it ends."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import psycopg

from pgqueue.errors import DatabaseUnreachable, PgqueueError
from pgqueue.store.connection import open_connection
from pgqueue.verify import ticking
from pgqueue.verify.background import Background
from pgqueue.verify.checks import write_known
from pgqueue.verify.faults import Faults
from pgqueue.verify.human_operator import HumanOperator
from pgqueue.verify.limiting import Onlooker
from pgqueue.verify.outsider import Outsider
from pgqueue.verify.producers import Producer
from pgqueue.verify.proxy import Proxy
from pgqueue.verify.schedule import Fault, schedule
from pgqueue.verify.scratch import Scratch, deadlocks
from pgqueue.verify.settings import Settings
from pgqueue.verify.states import count_states
from pgqueue.verify.tally import Tally
from pgqueue.verify.workers import Workers
from pgqueue.verify.workload import batches

Conn = psycopg.Connection[Any]

PRODUCERS = 3
# Transactions a second of each; and how many jobs may wait before they hold back.
RATE = 2.5
CROWD = 80
LOOK_EVERY = 0.02
MEND_EVERY = 0.2
# So long may the workers take for what the storm left over.
CALM_TIMEOUT = 120.0
STOP_TIMEOUT = 60.0
# How often the course is told.
TELL_EVERY = 10.0
# What has not occurred in time may still, in as much time again; so often it is looked for then.
OVERTIME = 2.0
LOOK_AGAIN_EVERY = 2.0
# So many workers must be up for the next fault, unless it is a hasty one. On a busy machine they take long to start,
# and faults that find nobody are none.
ENOUGH = 2
LONGEST_STEP = 0.5
ALIVE = "select count(*) from pgqueue.workers where expires_at > clock_timestamp()"
LEFT = "select (select count(*) from pgqueue.jobs) + (select count(*) from pgqueue.waiting)"


class Storm:
    """One storm over the workers; `deadlocks` is how many the database counted up to now."""

    def __init__(self, settings: Settings, made: Scratch, workers: Workers, tally: Tally) -> None:
        self.deadlocks = 0
        self._settings = settings
        self._made = made
        self._workers = workers
        self._tally = tally
        self._left = 0
        self._alive = 0

    def run(self) -> None:
        """The faults, and the end of every job that is left. Raises PgqueueError if producers or operator fail."""
        settings, made = self._settings, self._made
        seconds = settings.minutes * 60
        faults = Faults(made.dsn, self._workers, made.server, self._tally, self._note_deadlocks, settings.say_fault)
        plan = schedule(settings.seed, OVERTIME * seconds, owns_server=made.server is not None)
        with open_connection(made.dsn, "verify") as conn:
            ticking.begin(conn)
        with Proxy(made.address) as proxy, ExitStack() as stack:
            producers = [
                Producer(
                    made.through(proxy.port), proxy, batches(settings.seed, each, RATE), self._tally, self._crowded
                )
                for each in range(PRODUCERS)
            ]
            threads = [Background("human", HumanOperator(made.dsn, settings.seed, self._tally).work)]
            threads += [Background("outsider", Outsider(made.dsn, settings.seed, self._tally).work)]
            threads += [Background("onlooker", Onlooker(made.dsn).work)]
            threads += [Background(f"producer {number}", each.work) for number, each in enumerate(producers)]
            for thread in threads:
                stack.callback(thread.stop, STOP_TIMEOUT)
            try:
                self._endure(faults, plan, seconds)
            finally:
                faults.undo_all()
            settings.say("the faults are over; what is left comes to its end")
            for thread in threads:
                if not thread.stop(STOP_TIMEOUT):
                    raise PgqueueError(f"the {thread.name} did not end within {STOP_TIMEOUT:.0f} s")
                if thread.error is not None:
                    raise PgqueueError(f"the {thread.name} failed: {thread.error!r}") from thread.error
        with open_connection(made.dsn, "verify") as conn:
            ticking.end(conn)
            write_known(conn, [known for producer in producers for known in producer.known.items()])
            await_ends(conn, self._workers, CALM_TIMEOUT)

    def _endure(self, faults: Faults, plan: list[Fault], seconds: float) -> None:
        """The storm itself: faults at their times, workers replaced, and a word now and then."""
        settings = self._settings
        began = time.monotonic()
        mend_at = tell_at = count_at = clock = before = 0.0
        judge_at = seconds
        waiting = iter(plan)
        fault = next(waiting, None)
        while (passed := time.monotonic() - began) < OVERTIME * seconds:
            if passed >= judge_at:
                if not self._lacks():
                    break
                judge_at = passed + LOOK_AGAIN_EVERY
            if fault is not None and (fault.is_hasty or self._alive >= ENOUGH):
                # Not all at once what was held up by a restart.
                clock += min(passed - before, LONGEST_STEP)
            before = passed
            if fault is not None and clock >= fault.at:
                faults.happen(fault)
                fault = next(waiting, None)
            faults.tick()
            if passed >= mend_at:
                self._workers.mend()
                mend_at = passed + MEND_EVERY
            if passed >= count_at:
                self._count_left()
                count_at = passed + MEND_EVERY
            if passed >= tell_at:
                settings.say(f"{passed:4.0f} of {seconds:.0f} s, {faults.count} faults, {self._left} jobs under way")
                tell_at = passed + TELL_EVERY
            time.sleep(LOOK_EVERY)

    def _crowded(self) -> bool:
        return self._left > CROWD

    def _count_left(self) -> None:
        try:
            with open_connection(self._made.dsn, "verify") as conn:
                self._left, self._alive = one(conn, LEFT), one(conn, ALIVE)
        except (DatabaseUnreachable, psycopg.OperationalError):
            self._alive = 0

    def _lacks(self) -> bool:
        """Whether a dangerous state has not occurred yet, or nobody can tell."""
        try:
            with open_connection(self._made.dsn, "verify") as conn:
                return bool(count_states(conn, self._tally, owns_server=self._made.server is not None).missing)
        except (DatabaseUnreachable, psycopg.OperationalError):
            return True

    def _note_deadlocks(self) -> None:
        """Statistics do not outlive every restart."""
        try:
            with open_connection(self._made.dsn, "verify") as conn:
                self.deadlocks = max(self.deadlocks, deadlocks(conn))
        except (DatabaseUnreachable, psycopg.OperationalError):
            return


def await_ends(conn: Conn, workers: Workers, timeout: float) -> None:
    """Until every job has ended; those that do not are found by the checks."""
    deadline = time.monotonic() + timeout
    while one(conn, LEFT) and time.monotonic() < deadline:
        workers.mend()
        time.sleep(MEND_EVERY)


def one(conn: Conn, query: str) -> int:
    """The only number that a query answers."""
    (count,) = conn.execute(query.encode()).fetchone() or (0,)
    return int(count)
