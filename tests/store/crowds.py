"""A busy system at one twentieth of its size, or whole: what a command that reads must not read through."""

from __future__ import annotations

import psycopg

# The full size: a million jobs that have not ended, two million attempts, a million dead jobs.
FULL = 1_000_000
TWENTIETH = FULL // 20

# Ids in the order of their numbers, as if made in one millisecond.
_WORKERS = """
insert into pgqueue.workers (id, host, pid, executor, concurrency, expires_at)
select n, 'host' || n, n, 'process', 8, now() + interval '1 day' from generate_series(1, 40) as n
"""
# A tenth is for later, a tenth of that was tried before.
_JOBS = """
insert into pgqueue.jobs (id, queue, run_at, target, args, attempt)
select ('01900000-0003-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'q' || n % $2,
       now() + (n - $1) * interval '1 second' + case when n % 10 = 9 then interval '90 days' else interval '0' end,
       'shop.tasks:send_' || n % 7, '{"order_id": 12345}', case when n % 100 = 99 then 1 else 0 end
from generate_series(1, $1::int) as n
"""
# The oldest run, forty times eight.
_RUNNING = """
update pgqueue.jobs as job set worker = 1 + oldest.n % 40, claim = 1, attempt = 1, started_at = now()
from (
  select first.id, row_number() over (order by first.id) as n
  from pgqueue.jobs as first where first.attempt = 0 and first.run_at < now() order by first.id limit 320) as oldest
where job.id = oldest.id
"""
_ATTEMPTS = """
insert into pgqueue.attempts (job_id, claim, attempt, started_at, finished_at, worker, outcome, queue, target,
                              created_at, run_at, priority, args, error_type, error, traceback)
select ('01900000-0001-7000-8000-' || lpad(to_hex(n / 2), 12, '0'))::uuid, 1 + n % 2, 1 + n % 2, now(), now(), 1,
       case n % 2 when 0 then 'failed' else 'succeeded' end, 'q' || (n / 2) % $2, 'shop.tasks:send_' || n % 7,
       now(), now(), 5, case n % 2 when 1 then '{"order_id": 12345}'::json end,
       case n % 2 when 0 then 'builtins.OSError' end, case n % 2 when 0 then 'no route to host' end,
       case n % 2 when 0 then repeat('Traceback (most recent call last) ', 8) end
from generate_series(0, 2 * $1::int - 1) as n
"""
_DEAD = """
insert into pgqueue.dead_jobs (id, died_at, run_at, created_at, claim, priority, attempt, crashes, queue, target, args,
                               reason, error_type, error, traceback)
select ('01900000-0002-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, now() + (n - $1) * interval '1 minute', now(),
       now(), 26, 5, 26, 0, 'q' || n % $2, 'shop.tasks:send_' || n % 7, '{"order_id": 12345}', 'exhausted',
       'builtins.OSError', 'no route to host', repeat('Traceback (most recent call last) ', 16)
from generate_series(1, $1::int) as n
"""
# As after an ANALYZE or VACUUM of empty tables.
_EMPTY = """
update pg_class set relpages = 0, reltuples = 0
where relnamespace = 'pgqueue'::regnamespace and relname in ('jobs', 'attempts', 'dead_jobs')
"""


def crowd(dsn: str, size: int, queues: int) -> None:
    """Fill a database: `size` jobs and dead jobs each, twice as many attempts; never analysed."""
    with psycopg.connect(dsn, autocommit=True, cursor_factory=psycopg.RawCursor) as conn:
        conn.execute("set synchronous_commit = off")
        conn.execute(_WORKERS)
        for statement in (_JOBS, _ATTEMPTS, _DEAD):
            conn.execute(statement, (size, queues))
        conn.execute(_RUNNING)


def analyse(dsn: str, when: str) -> None:
    """Give the planner what it would know had the tables been analysed `empty`, as they are (`full`), or `never`."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        if when == "empty":
            conn.execute(_EMPTY)
        if when == "full":
            conn.execute("vacuum (analyze) pgqueue.jobs, pgqueue.attempts, pgqueue.dead_jobs")
