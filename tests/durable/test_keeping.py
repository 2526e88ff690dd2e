"""What durable functions leave stays as long as it is needed; and what costs a job that is none."""

from __future__ import annotations

from pgqueue import cancel, fork, get_job, result, signal
from pgqueue.testing import drain
from tests import factories
from tests.durable import tasks
from tests.durable.conftest import Conn

NEVER = "ff000000-0000-7000-8000-000000000000"
TABLES = ("steps", "signals", "waits", "abandoned")


def counts(conn: Conn) -> list[int]:
    return [conn.execute(f"select count(*) from pgqueue.{name}").fetchone()[0] for name in TABLES]  # type: ignore[index]


def prune(conn: Conn) -> None:
    conn.execute("select pgqueue.prune_below(%(id)s, %(id)s, %(id)s, '7 days', '180 days', 1000)", {"id": NEVER})


def test_it_is_kept_as_long_as_the_history_and_while_somebody_needs_it(conn: Conn) -> None:
    waiting, ended = tasks.patient.enqueue(conn), tasks.patient.enqueue(conn, timeout=0)
    signal(conn, waiting, "other")
    drain(conn)
    parent = tasks.parent.enqueue(conn, [1])
    drain(conn)
    assert result(conn, parent) == [42, 2]
    before = counts(conn)
    prune(conn)
    # Its wait is over.
    assert counts(conn) == [*before[:2], before[2] - 1, 0]
    conn.execute("update pgqueue.attempts set finished_at = finished_at - interval '8 days'")
    prune(conn)
    prune(conn)
    kept = conn.execute("select distinct job_id from pgqueue.steps").fetchall()
    assert kept == [(waiting.id,)]
    assert conn.execute("select scope, name from pgqueue.signals").fetchall() == [(waiting.id, "other")]
    assert ended.id != waiting.id


def test_the_end_of_a_child_is_kept_for_its_parent(conn: Conn) -> None:
    job = tasks.patient.enqueue(conn)
    conn.execute("select pgqueue.send(%s, 'pgqueue:end', 'null', %s, false)", [NEVER.replace("ff", "fe"), job.id])
    prune(conn)
    assert counts(conn)[1] == 1
    cancel(conn, job)
    conn.execute("update pgqueue.attempts set finished_at = finished_at - interval '8 days'")
    for _ in range(2):
        prune(conn)
    assert counts(conn)[1] == 0


def test_a_dead_one_keeps_what_it_remembers_until_it_is_forgotten(conn: Conn, log: str) -> None:
    job = tasks.three_steps.using(max_attempts=1).enqueue(conn, log, 1)
    drain(conn, raises=False)
    assert get_job(conn, job).state == "dead"
    conn.execute("update pgqueue.attempts set finished_at = finished_at - interval '8 days'")
    prune(conn)
    assert counts(conn)[0] == 1
    assert get_job(conn, fork(conn, job, "first")).state == "ready"
    conn.execute("update pgqueue.dead_jobs set died_at = died_at - interval '200 days'")
    prune(conn)
    assert counts(conn)[0] == 0


def test_a_job_that_is_none_touches_none_of_it(db: Conn) -> None:
    worker = factories.enlist(db)
    factories.fill(db, 20)
    for each in factories.claim(db, worker, 10):
        factories.settle(db, each)
    for each in factories.claim(db, worker, 5):
        factories.fail(db, each, None)
    for each in factories.claim(db, worker, 5):
        factories.release(db, each)
    if db.info.server_version >= 150000:
        db.execute("select pg_stat_force_next_flush()")
    touched = db.execute(
        "select relname from pg_stat_user_tables where schemaname = 'pgqueue' and relname = any (%s)"
        " and seq_scan + coalesce(idx_scan, 0) + n_tup_ins > 0",
        [list(TABLES)],
    ).fetchall()
    assert touched == []
