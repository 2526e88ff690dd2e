"""The course of a verification: the checker's proof, the storm, the calm after it, and the judgement."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from pgqueue.errors import DatabaseUnreachable, PgqueueError
from pgqueue.interrupt import interruptible
from pgqueue.store.connection import open_connection
from pgqueue.verify.actor import Actor
from pgqueue.verify.asking import ask
from pgqueue.verify.books import check, write_known
from pgqueue.verify.crew import LEASE, Crew
from pgqueue.verify.faults import Faults
from pgqueue.verify.guard import Guard
from pgqueue.verify.humans import Human
from pgqueue.verify.plants import Plant, plant
from pgqueue.verify.producers import Producer
from pgqueue.verify.proxy import Proxy
from pgqueue.verify.report import Report
from pgqueue.verify.sabotage import SABOTAGES, prove
from pgqueue.verify.schedule import Fault, schedule
from pgqueue.verify.scratch import Scratch, deadlocks, plain_name, scratch
from pgqueue.verify.serverlog import Log, read_log
from pgqueue.verify.states import States, count_states
from pgqueue.verify.tally import Tally
from pgqueue.verify.workload import batches, sample

Conn = psycopg.Connection[Any]
Say = Callable[[str], None]

PRODUCERS = 3
# Transactions a second of each; and how many jobs may wait before they hold back.
RATE = 2.5
CROWD = 80
LOOK_EVERY = 0.02
MEND_EVERY = 0.2
# So long may the workers take for a few quiet jobs, and for what the storm left over.
QUIET_TIMEOUT = 180.0
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
LEFT = "select count(*) from pgqueue.jobs"
ENDS = "select state, count(*) from verify.ended group by state"
ATTEMPTS = "select count(*) from pgqueue.attempts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to run: `dsn` None is an embedded server of its own; `kept` is a folder that stays, with the database."""

    dsn: str | None
    minutes: float
    seed: int
    plant: Plant | None = None
    keep: bool = False
    say: Say
    say_fault: Say


def run_verify(settings: Settings) -> Report:
    """Run it to the end and judge it. Nothing is left behind, even after Ctrl-C (KeyboardInterrupt), unless `keep`.

    Raises PgqueueError if it cannot be run, UsageError if the server's role may not create a database.
    """
    tally = Tally()
    with interruptible(), _folder(settings.keep, settings.say) as folder:
        with scratch(settings.dsn, folder, LEASE, keep=settings.keep) as made:
            settings.say(f"database {made.name} on {plain_name(settings.dsn)}; seed {settings.seed}")
            run = _Run(settings, made, folder, tally)
            run.go()
        log = read_log([*folder.glob("postgres/server*.log*")])
        return run.report(log)


class _Run:
    """One run, and what it has found so far."""

    def __init__(self, settings: Settings, made: Scratch, folder: Path, tally: Tally) -> None:
        self._settings = settings
        self._made = made
        self._folder = folder
        self._tally = tally
        self._deadlocks = 0
        self._untrusted: list[str] = []
        self._violations: list[Any] = []
        self._ends: dict[str, int] = {}
        self._attempts = 0
        self._states: States | None = None
        self._surprises: list[str] = []
        self._left = 0
        self._alive = 0

    def go(self) -> None:
        """Proof, storm, calm, judgement."""
        made, settings = self._made, self._settings
        with open_connection(made.dsn, "verify") as conn:
            if settings.plant is not None:
                plant(conn, settings.plant)
                settings.say(f"planted: {settings.plant}")
        guard = Guard(self._folder, keep=settings.keep)
        crew = Crew(made.address, made.through, self._folder / "workers.log", self._tally, guard)
        with guard, crew:
            if self._prove(crew):
                self._storm(crew)
        self._surprises += crew.surprises
        with open_connection(made.dsn, "verify") as conn:
            self._judge(conn)

    def report(self, log: Log) -> Report:
        """All of it."""
        settings = self._settings
        return Report(
            seed=settings.seed,
            minutes=settings.minutes,
            server=plain_name(settings.dsn),
            plant=settings.plant,
            sabotages=len(SABOTAGES),
            untrusted=self._untrusted,
            jobs=self._ends,
            attempts=self._attempts,
            states=self._states,
            violations=self._violations,
            deadlocks=self._deadlocks,
            surprises=self._surprises,
            log_asked_for=dict(log.asked_for),
            log_others=log.others,
        )

    def _prove(self, crew: Crew) -> bool:
        """A quiet run, on which the checker proves itself; whether it can be trusted."""
        with open_connection(self._made.dsn, "verify") as conn:
            with conn.transaction():
                pieces = sample()
                ask(conn, pieces, [None] * len(pieces))
            self._await_ends(conn, crew, QUIET_TIMEOUT)
            if found := check(conn):
                # Broken without any fault: no need for a storm.
                self._violations = found
                return False
            self._untrusted = prove(conn)
        if not self._untrusted:
            self._settings.say(f"the checker found each of {len(SABOTAGES)} planted sabotages, and nothing else")
        return not self._untrusted

    def _storm(self, crew: Crew) -> None:
        settings, made = self._settings, self._made
        seconds = settings.minutes * 60
        faults = Faults(made.dsn, crew, made.server, self._tally, self._note_deadlocks, settings.say_fault)
        plan = schedule(settings.seed, OVERTIME * seconds, owns_server=made.server is not None)
        with Proxy(made.address) as proxy, ExitStack() as stack:
            producers = [
                Producer(
                    made.through(proxy.port), proxy, batches(settings.seed, each, RATE), self._tally, self._crowded
                )
                for each in range(PRODUCERS)
            ]
            actors = [Actor("human", Human(made.dsn, settings.seed, self._tally).work)]
            actors += [Actor(f"producer {number}", each.work) for number, each in enumerate(producers)]
            for actor in actors:
                stack.callback(actor.stop, STOP_TIMEOUT)
            try:
                self._endure(crew, faults, plan, seconds)
            finally:
                faults.undo_all()
            settings.say("the faults are over; what is left comes to its end")
            for actor in actors:
                if not actor.stop(STOP_TIMEOUT):
                    raise PgqueueError(f"the {actor.name} did not end within {STOP_TIMEOUT:.0f} s")
                if actor.error is not None:
                    raise PgqueueError(f"the {actor.name} failed: {actor.error!r}") from actor.error
        with open_connection(made.dsn, "verify") as conn:
            write_known(conn, [known for producer in producers for known in producer.known.items()])
            self._await_ends(conn, crew, CALM_TIMEOUT)

    def _endure(self, crew: Crew, faults: Faults, plan: list[Fault], seconds: float) -> None:
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
                crew.mend()
                mend_at = passed + MEND_EVERY
            if passed >= count_at:
                self._count_left()
                count_at = passed + MEND_EVERY
            if passed >= tell_at:
                settings.say(f"{passed:4.0f} of {seconds:.0f} s, {faults.count} faults, {self._left} jobs under way")
                tell_at = passed + TELL_EVERY
            time.sleep(LOOK_EVERY)

    def _await_ends(self, conn: Conn, crew: Crew, timeout: float) -> None:
        """Until every job has ended; those that do not are found by the books."""
        deadline = time.monotonic() + timeout
        while _one(conn, LEFT) and time.monotonic() < deadline:
            crew.mend()
            time.sleep(MEND_EVERY)

    def _crowded(self) -> bool:
        return self._left > CROWD

    def _count_left(self) -> None:
        try:
            with open_connection(self._made.dsn, "verify") as conn:
                self._left, self._alive = _one(conn, LEFT), _one(conn, ALIVE)
        except (DatabaseUnreachable, psycopg.OperationalError):
            self._alive = 0

    def _lacks(self) -> bool:
        """Whether a dangerous state has not occurred yet, or nobody can tell."""
        try:
            with open_connection(self._made.dsn, "verify") as conn:
                return bool(self._count_states(conn).missing)
        except (DatabaseUnreachable, psycopg.OperationalError):
            return True

    def _note_deadlocks(self) -> None:
        """Statistics do not outlive every restart."""
        try:
            with open_connection(self._made.dsn, "verify") as conn:
                self._deadlocks = max(self._deadlocks, deadlocks(conn))
        except (DatabaseUnreachable, psycopg.OperationalError):
            return

    def _judge(self, conn: Conn) -> None:
        self._ends = dict(conn.execute(ENDS).fetchall())
        self._attempts = _one(conn, ATTEMPTS)
        self._deadlocks = max(self._deadlocks, deadlocks(conn))
        if not self._untrusted and not self._violations:
            self._violations = check(conn)
            self._states = self._count_states(conn)

    def _count_states(self, conn: Conn) -> States:
        return count_states(conn, self._tally, owns_server=self._made.server is not None)


@contextmanager
def _folder(keep: bool, say: Say) -> Iterator[Path]:
    """A folder for the server and the workers' log, removed in the end unless `keep`."""
    folder = Path(tempfile.mkdtemp(prefix="pgqueue-verify-"))
    # PostgreSQL, where it may not run as root, runs as a user who must be able to reach it.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        if keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder)


def _one(conn: Conn, query: str) -> int:
    (count,) = conn.execute(query.encode()).fetchone() or (0,)
    return int(count)
