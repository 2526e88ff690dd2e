"""Transactional tasks that tell with which rights they work, and some that look for more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg

import pgqueue

WHO = "select current_user::text"


def write(conn: psycopg.Connection[Any], value: int) -> None:
    conn.execute("insert into public.effects (value) values (%s)", [value])


def who(conn: psycopg.Connection[Any]) -> str:
    return conn.execute(WHO).fetchone()[0]  # type: ignore[index, no-any-return]


def may(conn: psycopg.Connection[Any], *statements: str) -> bool:
    """Whether these can be run one after the other."""
    try:
        with conn.transaction():
            for statement in statements:
                conn.execute(statement)
    except psycopg.Error:
        return False
    return True


@pgqueue.task(transactional=True, store_result=True)
def look(conn: psycopg.Connection[Any]) -> dict[str, Any]:
    write(conn, 1)
    return {"who": who(conn), "reads_jobs": may(conn, "select from pgqueue.jobs")}


@pgqueue.task(transactional=True, store_result=True)
async def look_async(conn: psycopg.AsyncConnection[Any]) -> dict[str, Any]:
    await conn.execute("insert into public.effects (value) values (1)")
    (name,) = await (await conn.execute(WHO)).fetchone()  # type: ignore[misc]
    try:
        async with conn.transaction():
            await conn.execute("select from pgqueue.jobs")
    except psycopg.errors.InsufficientPrivilege:
        return {"who": name, "reads_jobs": False}
    return {"who": name, "reads_jobs": True}


@pgqueue.task(transactional=True, store_result=True)
def charge_once(conn: psycopg.Connection[Any], key: str) -> list[str]:
    """What pgqueue writes in its transaction is none of its own rights'; behind it they are as before."""
    names = [who(conn)]
    with pgqueue.current_job().once(key) as first:
        names.append(who(conn))
        if first:
            write(conn, 1)
    return [*names, who(conn)]


@pgqueue.task(transactional=True, iterable=True)
def by_units(conn: psycopg.Connection[Any], most: int) -> Iterator[int]:
    for number in range(pgqueue.current_job().resumed_from or 0, most):
        conn.execute("insert into public.told (who) values (current_user)")
        write(conn, number)
        yield number + 1


@pgqueue.task(transactional=True, iterable=True)
async def by_units_async(conn: psycopg.AsyncConnection[Any], most: int) -> AsyncIterator[int]:
    for number in range(pgqueue.current_job().resumed_from or 0, most):
        await conn.execute("insert into public.told (who) values (current_user)")
        await conn.execute("insert into public.effects (value) values (%s)", [number])
        yield number + 1


@pgqueue.task(transactional=True)
def fail(conn: psycopg.Connection[Any]) -> None:
    write(conn, 1)
    raise ValueError("no")


@pgqueue.task(transactional=True)
def leave_a_trigger(conn: psycopg.Connection[Any]) -> None:
    """Have code of its own run at the COMMIT."""
    conn.execute("create temp table bait (x int)")
    conn.execute("""
    create function pg_temp.spring() returns trigger language plpgsql as
    'begin insert into public.told (who) values (current_user); return null; end'
    """)
    conn.execute("""
    create constraint trigger spring after insert on bait deferrable initially deferred
    for each row execute function pg_temp.spring()
    """)
    conn.execute("insert into bait values (1)")


@pgqueue.task(transactional=True)
def leave_a_cursor(conn: psycopg.Connection[Any]) -> None:
    """The same, by a cursor that is read to its end at the COMMIT."""
    conn.execute("""
    create function pg_temp.spring() returns int language sql volatile as
    'insert into public.told (who) values (current_user) returning 1'
    """)
    conn.execute("declare trap cursor with hold for select pg_temp.spring()")


@pgqueue.task(transactional=True, store_result=True)
def look_for_more(conn: psycopg.Connection[Any], login: str) -> dict[str, bool]:
    """Every way back to another role that SQL has; whether one led to the jobs."""
    ways = (
        "reset role",
        "set role none",
        f"set role {login}",
        "reset session authorization",
        f"set session authorization {login}",
    )
    return {way.split(f" {login}")[0]: may(conn, way, "select from pgqueue.jobs") for way in ways}


@pgqueue.task(transactional=True)
def settle_another(conn: psycopg.Connection[Any], job_id: str, claim: int) -> None:
    """Everything that could end somebody else's job, with what its own token has of it."""
    own = pgqueue.current_job()._claim
    ways = (
        f"select pgqueue.complete({own.worker}, '{job_id}', {claim}, null)",
        f"select pgqueue.complete(0, '{job_id}', {claim}, null)",
        f"select pgqueue.succeed({own.worker}, '{job_id}', {claim}, null, '{{}}')",
        f"select pgqueue.complete_together({own.worker}, '{{{job_id}}}', '{{{claim}}}', '{{null}}', '{{null}}')",
        f"select pgqueue.checkpoint({own.worker}, '{job_id}', {claim}, '1')",
        f"select pgqueue.remember({own.worker}, '{job_id}', {claim}, 'step', 'x', 1, '1')",
        f"select pgqueue.release({own.worker}, '{{{job_id}}}', '{{{claim}}}', '{{0}}')",
        f"select pgqueue.cancel('{job_id}')",
        f"delete from pgqueue.jobs where id = '{job_id}'",
        "select pgqueue.reap()",
    )
    for way in ways:
        may(conn, way)


@pgqueue.task(transactional=True)
def enqueue_another(conn: psycopg.Connection[Any]) -> None:
    look.enqueue(conn)


@pgqueue.task(store_result=True)
def look_at_home() -> str:
    """As whom connect() and delay() come, outside of a transaction of the job's."""
    look.delay()
    with pgqueue.connect() as conn:
        return who(conn)


@pgqueue.task
def complete_by_itself() -> None:
    with pgqueue.connect() as conn:
        write(conn, 1)
        pgqueue.current_job().complete(conn)
