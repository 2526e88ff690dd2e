"""Workers and producers of several releases on one database, and the books that are kept of what they did."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.upgrades.releases import APP, Package
from tests.waiting import wait_until

LEASE = 3
POLL = 0.5
TABLES = """
create table sent (id uuid primary key, number int not null, by text not null);
create table effects (number int not null)
"""
LONGEST_GAP = """
with bounds as (select %s::timestamptz as since, %s::timestamptz as until),
moments as (
  select a.started_at as moment from pgqueue.attempts as a, bounds where a.started_at between since and until
  union all
  select unnest(array[since, until]) from bounds),
gaps as (select moment - lag(moment) over (order by moment) as gap from moments)
select extract(epoch from max(gap)) from gaps
"""
LOST = """
select count(*) from sent where id not in (select job_id from pgqueue.attempts where outcome = 'succeeded')
"""
DOUBLED = """
select count(*) from (
  select job_id from pgqueue.attempts where outcome = 'succeeded' group by job_id having count(*) > 1) as twice
"""
NOTED = "select array_agg(number order by number) from sent where mod(number, 5) in (0, 4)"


@dataclass
class Hired:
    """A process of one release, and its log."""

    package: Package
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def text(self) -> str:
        return self.log.read_text()

    def kill(self) -> None:
        """End it as the kernel would: it can do nothing about it."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait; an end that is no good one fails."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, self.text


@dataclass
class Staff:
    """All who work on the database `dsn`: `hire`, `employ`; all are ended in the end."""

    dsn: str
    folder: Path
    conn: psycopg.Connection[Any]
    hired: list[Hired] = field(default_factory=list)

    def hire(self, package: Package) -> Hired:
        """A worker that claims."""
        options = ["-A", "upgrade_tasks", "-c", "4", "-x", "thread", "--lease", str(LEASE), "--poll", str(POLL)]
        worker = self._start(package, "-m", "pgqueue", "worker", *options)
        wait_until(lambda: self._is_enlisted(worker) or worker.process.poll() is not None, 60, "the worker's start")
        assert worker.process.poll() is None, worker.text
        return worker

    def employ(self, package: Package, name: str) -> Hired:
        """A producer."""
        producer = self._start(package, str(APP / "produce.py"), name)
        wait_until(lambda: self.sent(name) or producer.process.poll() is not None, 60, "the producer's first job")
        return producer

    def sent(self, name: str) -> int:
        """How many jobs a producer has enqueued."""
        return self.one("select count(*) from sent where by = %s", name)

    def work_on(self, seconds: float) -> None:
        """Let all of them work for a while; nobody may end by himself."""
        until = time.monotonic() + seconds
        living = [each for each in self.hired if each.process.poll() is None]
        while time.monotonic() < until:
            assert [each.text for each in living if each.process.poll() is not None] == []
            time.sleep(0.05)

    def one(self, query: str, *params: object) -> Any:
        row = self.conn.execute(query, params).fetchone()  # type: ignore[arg-type]  # a text of the tests
        assert row is not None
        return row[0]

    def settled_by(self, worker: Hired) -> int:
        """How many attempts a worker that lives has finished."""
        return self.one(
            "select count(*) from pgqueue.attempts as a join pgqueue.workers as w on w.id = a.worker"
            " where w.pid = %s and a.outcome = 'succeeded'",
            worker.process.pid,
        )

    def longest_gap(self, since: object, until: object) -> float:
        """For how many seconds nothing was claimed, at most, between two moments of the database's clock."""
        return float(self.one(LONGEST_GAP, since, until))

    def moment(self) -> object:
        return self.one("select clock_timestamp()")

    def check_books(self) -> int:
        """Every job that was enqueued has succeeded once, and what it did was done once; answers how many."""
        wait_until(lambda: self.one("select count(*) = 0 from pgqueue.jobs"), 120, "all jobs at their end")
        assert (self.one(LOST), self.one(DOUBLED)) == (0, 0)
        assert self.one("select count(*) from pgqueue.dead_jobs") == 0
        sent = self.one("select count(*) from sent")
        assert self.one("select count(distinct job_id) from pgqueue.attempts") == sent
        assert self.one("select array_agg(number order by number) from effects") == self.one(NOTED)
        return int(sent)

    def _is_enlisted(self, worker: Hired) -> bool:
        return bool(self.one("select count(*) from pgqueue.workers where pid = %s", worker.process.pid))

    def _start(self, package: Package, *words: str) -> Hired:
        log = self.folder / f"{len(self.hired)}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, *words], cwd=APP, env=package.environment(self.dsn), stdout=stream, stderr=stream
            )
        self.hired.append(Hired(package, process, log))
        return self.hired[-1]


@contextmanager
def staff(dsn: str, folder: Path) -> Iterator[Staff]:
    """Somebody who hires, on a database with the tables of the test."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(TABLES)  # type: ignore[arg-type]  # a text of ours
        found = Staff(dsn, folder, conn)
        try:
            yield found
        finally:
            for each in found.hired:
                each.kill()
