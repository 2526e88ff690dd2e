"""Transactional jobs that misuse the connection they are lent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

import pgqueue
from pgqueue import current_job
from pgqueue.context import JobContext
from pgqueue.job import NewJob
from pgqueue.retry import Fixed
from pgqueue.tasks import task

Conn = psycopg.Connection[Any]
kept: list[Any] = []


@task(transactional=True)
def misuse(conn: Conn, how: str) -> None:
    """Write, then do to the transaction what nobody should."""
    conn.execute("insert into effects (value) values (1)")
    match how:
        case "begin":
            conn.execute("begin")
        case "commit and chain":
            conn.execute("commit and chain")
        case "rollback and begin":
            conn.execute("rollback")
            conn.execute("begin")
        case "prepare transaction":
            conn.execute("prepare transaction 'stolen'")
        case "autocommit":
            conn.commit()
            conn.autocommit = True
            conn.execute("insert into effects (value) values (2)")
        case "pipeline":
            conn.pgconn.enter_pipeline_mode()
        case "half a copy":
            kept.append(conn.cursor().copy("copy effects from stdin"))
            kept[-1].__enter__()
        case "half a stream":
            kept.append(conn.cursor().stream("select generate_series(1, 100000)"))
            next(kept[-1])
        case "read only":
            conn.execute("set transaction read only")
        case "finish":
            conn.pgconn.finish()
        case "steal":
            conn.pgconn = psycopg.pq.PGconn()


@task(transactional=True)
def keep_its_attitude(conn: Conn, how: str) -> None:
    """Write, and leave the session with another role or path: nothing that is wrong."""
    conn.execute("insert into effects (value) values (7)")
    conn.execute("grant select on effects to public")
    match how:
        case "role":
            conn.execute("set role pg_monitor")
        case "authorization":
            conn.execute("create role hostile_nobody")
            conn.execute("set session authorization hostile_nobody")
        case "path":
            conn.execute("set search_path = ''")


@task(transactional=True)
def soil_session(conn: Conn) -> int:
    conn.execute("create temp table dirt (x int)")
    conn.execute("create temp sequence counting; select nextval('counting')")
    conn.execute("declare held cursor with hold for select 1")
    conn.execute("set work_mem = '1MB'; set search_path = nowhere; listen dirt; set role pg_monitor")
    conn.execute("select pg_advisory_lock(4711), pg_advisory_lock_shared(4712)")
    conn.execute("prepare dirty as select 1")
    conn.prepare_threshold = 0
    conn.execute("select 42")
    conn.row_factory = psycopg.rows.dict_row
    return conn.info.backend_pid


@task(transactional=True)
def look_at_session(conn: Conn) -> list[Any]:
    row = conn.execute(
        "select pg_backend_pid(), to_regclass('pg_temp.dirt') is null, to_regclass('pg_temp.counting') is null,"
        " (select count(*)::int from pg_cursors where is_holdable), current_setting('work_mem') <> '1MB',"
        " current_setting('search_path'), current_user = session_user,"
        " (select count(*)::int from pg_listening_channels()), (select count(*)::int from pg_prepared_statements),"
        " (select count(*)::int from pg_locks where locktype = 'advisory' and objid in (4711, 4712))"
    ).fetchone()
    assert row is not None
    return list(row)


@task(transactional=True)
async def leave_a_coroutine_behind(conn: psycopg.AsyncConnection[Any]) -> None:
    """Return while a coroutine of its own waits on its connection."""
    await conn.execute("insert into effects (value) values (1)")
    kept.append(asyncio.get_running_loop().create_task(_sleep_on(conn)))
    await asyncio.sleep(0.1)


async def _sleep_on(conn: psycopg.AsyncConnection[Any]) -> None:
    with suppress(psycopg.Error):
        await conn.execute("select pg_sleep(60)")


@task(transactional=True, retry=Fixed(0.05))
def delete_itself(conn: Conn, _dsn: str) -> None:
    conn.execute("insert into effects (value) values (1)")
    conn.execute("delete from pgqueue.jobs where id = %s", [current_job().id])


@task(transactional=True, retry=Fixed(0.05))
def take_itself_over(conn: Conn, _dsn: str) -> None:
    conn.execute("insert into effects (value) values (1)")
    conn.execute("update pgqueue.jobs set claim = claim + 1 where id = %s", [current_job().id])


@task(retry=Fixed(0.05))
def delete_itself_and_complete(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("insert into effects (value) values (1)")
        conn.execute("delete from pgqueue.jobs where id = %s", [current_job().id])
        current_job().complete(conn)


@task
def delete_itself_outside(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("delete from pgqueue.jobs where id = %s", [current_job().id])


@task(transactional=True)
def cancel_itself(conn: Conn) -> None:
    pgqueue.cancel(conn, current_job().id)


@task
def complete_for_another(dsn: str) -> None:
    """Complete with the context of a job that ended before."""
    with psycopg.connect(dsn) as conn:
        kept_context[-1].complete(conn)


kept_context: list[JobContext] = []


@task
def keep_its_context() -> None:
    kept_context.append(current_job())


@task(transactional=True)
def enqueue_many(conn: Conn, count: int) -> None:
    pgqueue.enqueue_many(conn, [NewJob("tests.worker.errands:work", delay=3600)] * count)


@contextmanager
def bad_middleware(job: JobContext) -> Iterator[None]:
    """Does what the job's label says."""
    how = job.labels.get("middleware")
    if how == "raises":
        raise SystemExit("at the door")
    if how == "never yields":
        return
    yield
    if how == "yields twice":
        yield
