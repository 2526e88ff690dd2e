"""What brings history into partitions, and other queues' jobs over, on a session that looks elsewhere first."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg

from pgqueue.store import emptying, execute, follow_ups, foreign_jobs, partitions
from pgqueue.store.foreign_jobs import Queue, Table
from tests import factories
from tests.history.filling import fill

# As far as the statements name their columns.
_THEIRS = {
    "django_tasks_db": "id uuid primary key, task_path text, args_kwargs json, queue_name text, priority int,"
    " run_after timestamptz, enqueued_at timestamptz, status text default 'READY'",
    "pgqueuer": "id bigint primary key, entrypoint text, payload bytea, priority int, execute_after timestamptz,"
    " dedupe_key text, status text default 'queued'",
    "procrastinate": "id bigint primary key, task_name text, args json, queue_name text, priority int,"
    " scheduled_at timestamptz, lock text, queueing_lock text, status text default 'todo'",
}
_LOG = "create table theirs.pgqueuer_log (job_id bigint, status text, entrypoint text, priority int)"


def partitioned_on(conn: psycopg.Connection[Any]) -> None:
    """History is copied, and the copy takes its place; then all of it is as before."""
    followed = factories.enqueue(conn, queue="followed")
    execute(conn, follow_ups.lock(followed))
    execute(conn, follow_ups.add(followed, "end", factories.TARGET, {}))
    with conn.transaction(force_rollback=True):
        execute(conn, emptying.everything())
    with conn.transaction(force_rollback=True):
        fill(conn, 10, days=20)
        for table in partitions.TABLES:
            assert not execute(conn, partitions.is_partitioned(table))
            assert execute(conn, partitions.obstacles(table)) == []
            execute(conn, partitions.begin_copy(table))
            execute(conn, partitions.copy_history(table, 100))
            assert execute(conn, partitions.copying(table)).copied >= 0
            execute(conn, partitions.analyze_copy(table))
            assert execute(conn, partitions.end_copy(table))
            execute(conn, partitions.drop_before(table))
            execute(conn, partitions.make_spans(table))
            assert execute(conn, partitions.partition_names(table)) != []
        conn.execute("lock table pgqueue.attempts, pgqueue.dead_jobs in share update exclusive mode")
        conn.execute("select pgqueue.tend_history('1 day', '180 days')")
        execute(conn, partitions.begin_copy("attempts"))
        execute(conn, partitions.forget_copies())


def moved_in_on(conn: psycopg.Connection[Any]) -> None:
    """Jobs of each other queue are read, and taken out: last of all under that queue's own names."""
    queue: Queue
    for queue in ("procrastinate", "django_tasks_db", "pgqueuer"):
        with conn.transaction(force_rollback=True):
            conn.execute("create schema theirs")
            conn.execute(f"create table theirs.{queue} ({_THEIRS[queue]})")
            conn.execute(_LOG)
            key = uuid4() if queue == "django_tasks_db" else 7
            conn.execute(f"insert into theirs.{queue} (id) values (%s)", [key])
            table = Table("theirs", queue)
            assert execute(conn, foreign_jobs.schemas_with(queue)) == ["theirs"]
            execute(conn, foreign_jobs.begin_reading())
            for hold in (False, True):
                (found,) = execute(conn, foreign_jobs.waiting(queue, table, None, 10, hold=hold))
                assert found.id == key
            execute(conn, foreign_jobs.end_reading())
            execute(conn, foreign_jobs.begin_taking(table))
            execute(conn, foreign_jobs.take_out(queue, table, [found.id]))
            assert conn.execute(f"select count(*) from theirs.{queue}").fetchone() == (0,)
