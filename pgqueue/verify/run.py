"""The course of a verification: the checker's proof, the storm, and the judgement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from pgqueue.interrupt import interruptible
from pgqueue.store.connection import open_connection
from pgqueue.verify import limiting, ticking
from pgqueue.verify.asking import ask
from pgqueue.verify.checks import check
from pgqueue.verify.folder import folder_of
from pgqueue.verify.guard import Guard
from pgqueue.verify.planted_bugs import plant
from pgqueue.verify.report import Report
from pgqueue.verify.sabotage import SABOTAGES, prove
from pgqueue.verify.scratch import Scratch, deadlocks, plain_name, scratch
from pgqueue.verify.serverlog import Log, read_log
from pgqueue.verify.settings import Settings
from pgqueue.verify.states import States, count_states
from pgqueue.verify.storm import Storm, await_ends, one
from pgqueue.verify.tally import Tally
from pgqueue.verify.workers import LEASE, Workers
from pgqueue.verify.workload import sample

Conn = psycopg.Connection[Any]


# So long may the workers take for a few quiet jobs.
QUIET_TIMEOUT = 180.0
ENDS = "select state, count(*) from verify.ended group by state"
ATTEMPTS = "select count(*) from pgqueue.attempts"


def run_verify(settings: Settings) -> Report:
    """Run it to the end and judge it. Nothing is left behind, even after Ctrl-C (KeyboardInterrupt), unless `keep`.

    Raises PgqueueError if it cannot be run, UsageError if the server's role may not create a database.
    """
    tally = Tally()
    with interruptible(), folder_of(settings.keep, settings.say) as folder:
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

    def go(self) -> None:
        """Proof, storm, calm, judgement."""
        made, settings = self._made, self._settings
        with open_connection(made.dsn, "verify") as conn:
            if settings.plant is not None:
                plant(conn, settings.plant)
                settings.say(f"planted: {settings.plant}")
        guard = Guard(self._folder, keep=settings.keep)
        workers = Workers(made.address, made.through, self._folder / "workers.log", self._tally, guard)
        with guard, workers:
            if self._prove(workers):
                storm = Storm(settings, made, workers, self._tally)
                storm.run()
                self._deadlocks = storm.deadlocks
        self._surprises += workers.surprises
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

    def _prove(self, workers: Workers) -> bool:
        """A quiet run, on which the checker proves itself; whether it can be trusted."""
        with open_connection(self._made.dsn, "verify") as conn:
            with conn.transaction():
                limiting.begin(conn)
                pieces = sample()
                ask(conn, pieces, [None] * len(pieces))
                ticking.sample(conn)
            await_ends(conn, workers, QUIET_TIMEOUT)
            if found := check(conn):
                # Broken without any fault: no need for a storm.
                self._violations = found
                return False
            self._untrusted = prove(conn)
        if not self._untrusted:
            self._settings.say(f"the checker found each of {len(SABOTAGES)} planted sabotages, and nothing else")
        return not self._untrusted

    def _judge(self, conn: Conn) -> None:
        self._ends = dict(conn.execute(ENDS).fetchall())
        self._attempts = one(conn, ATTEMPTS)
        self._deadlocks = max(self._deadlocks, deadlocks(conn))
        if not self._untrusted and not self._violations:
            self._violations = check(conn)
            self._states = self._count_states(conn)

    def _count_states(self, conn: Conn) -> States:
        return count_states(conn, self._tally, owns_server=self._made.server is not None)
