"""A database of the last release with a million waiting jobs is brought up beside a worker of that release."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue import giving_way
from pgqueue.embedded import Server
from pgqueue.migrate import migrate, status
from tests.factories import Conn
from tests.races.test_migrating import at_revision
from tests.store.test_migrate import created
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.alone]

# What its workers call, as it was then: migrate() has yet to bring the functions of today.
FUNCTIONS = (Path(__file__).parent / "revision_0003.sql").read_text()
JOBS = 1_000_000
# In three queues, each at one moment of its own; one in ten has a key of each kind.
FILL = f"""
insert into pgqueue.jobs (id, queue, priority, run_at, target, unique_key, limit_key)
select gen_random_uuid(), (array['default', 'mail', 'web'])[1 + n % 3], 5,
       now() - interval '1 day' + n * interval '1 ms', 'shop.tasks:send',
       case when n % 10 = 0 then 'u' || n end, case when n % 10 = 1 then 'tenant:' || n % 100 end
from generate_series(1, {JOBS}) as n
"""
ENLIST = """
insert into pgqueue.workers (id, host, pid, queues, executor, concurrency, expires_at)
values (1, 'h', 1, '{default}', 'thread', 10, now() + interval '1 hour')
"""
STEP = """
select id, claim, run_at, late from pgqueue.step(
  1, %s::uuid[], %s::int[], '{}', '{}', '{default}', '{5}', array[%s]::timestamptz[], array[%s]::uuid[], '0', 10, 0,
  100000000, false)
"""


@dataclass
class OldWorker:
    """Settles and claims, over and over, and waits for no lock longer than a migration may make it wait."""

    dsn: str
    ended: threading.Event = field(default_factory=threading.Event)
    faults: list[BaseException] = field(default_factory=list)
    claimed: int = 0
    longest: float = 0.0

    def work(self) -> None:
        try:
            with psycopg.connect(self.dsn, autocommit=True) as conn:
                conn.execute(f"set lock_timeout = '{giving_way.LOCK_TIMEOUT}'")
                conn.execute(ENLIST)
                self._step_on(conn)
        except Exception as fault:
            self.faults.append(fault)

    def _step_on(self, conn: Conn) -> None:
        ids: list[Any] = []
        claims: list[int] = []
        bound: list[Any] = ["2020-01-01", "00000000-0000-0000-0000-000000000000"]
        while not self.ended.is_set():
            began = time.monotonic()
            *rows, header = conn.execute(STEP, [ids, claims, *bound]).fetchall()
            self.longest = max(self.longest, time.monotonic() - began)
            assert not header[3], "nobody else settles"
            assert rows, "there is always more"
            ids, claims = [row[0] for row in rows], [row[1] for row in rows]
            bound = [rows[-1][2], rows[-1][0]]
            self.claimed += len(rows)


def test_p14_a_million_waiting_jobs_are_migrated_and_no_claim_waits_longer_than_the_lock_timeout(
    server: Server, database: str
) -> None:
    with created(server, f"{database}_million") as dsn:
        at_revision(dsn, "0003")
        with psycopg.connect(dsn) as conn:
            conn.execute(FUNCTIONS)  # type: ignore[arg-type]  # a file of ours
            conn.execute("set local synchronous_commit = off")
            conn.execute(FILL)  # type: ignore[arg-type]
        worker = OldWorker(dsn)
        thread = threading.Thread(target=worker.work)
        thread.start()
        try:
            wait_until(lambda: worker.claimed >= 100 or worker.faults, 30, "the worker of the last release claims")
            before = worker.claimed
            began = time.monotonic()
            assert migrate(dsn) is True
            took = time.monotonic() - began
            after = worker.claimed
            wait_until(lambda: worker.claimed >= after + 100 or worker.faults, 30, "it claims as before")
        finally:
            worker.ended.set()
            thread.join(60)
        print(
            f"\nmigrated in {took:.1f} s, {after - before} jobs claimed meanwhile, longest step {worker.longest:.2f} s"
        )
        assert [repr(fault) for fault in worker.faults] == []
        assert (status(dsn).state, status(dsn).functions) == ("current", True)
        with psycopg.connect(dsn) as conn:
            (left,) = conn.execute("select count(*) from pgqueue.jobs").fetchone() or (0,)
            ended = conn.execute("select count(*) from pgqueue.attempts where outcome = 'succeeded'").fetchone()
        assert ended == (JOBS - left,)
