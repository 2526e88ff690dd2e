"""Tasks that do what tasks do, good and bad; run by executors in the tests."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import psycopg

from pgqueue.context import JobContext, current_job
from pgqueue.outcome import Bury, Cancel, Retry, Snooze
from pgqueue.retry import Fixed
from pgqueue.tasks import task

leak: ContextVar[str] = ContextVar("leak", default="clean")


@task
def nothing() -> None: ...


@task
def give(value: Any) -> Any:
    return value


@task
async def give_async(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


@task
async def nothing_async() -> None: ...


def plain(value: Any) -> Any:
    return value


@task
def nap(seconds: float) -> None:
    time.sleep(seconds)


@task
async def nap_async(seconds: float) -> None:
    await asyncio.sleep(seconds)


@task(retry=Fixed(7, not_on=KeyError), max_attempts=3)
def fail(message: str) -> None:
    raise ValueError(message)


@task(retry=Fixed(7, not_on=KeyError))
def fail_for_good() -> None:
    raise KeyError("gone")


@task
def raise_builtin(name: str) -> None:
    raise {"SystemExit": SystemExit, "KeyboardInterrupt": KeyboardInterrupt, "MemoryError": MemoryError}[name](3)


@task
async def raise_in_subtask() -> None:
    async def leave() -> None:
        sys.exit(4)

    await asyncio.create_task(leave())


@task
def recurse() -> None:
    recurse.function()


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@task
def raise_unspeakable() -> None:
    raise Unspeakable


@task
def signal(kind: str) -> None:
    raise {
        "retry": lambda: Retry("later", delay=9),
        "retry as usual": Retry,
        "snooze": lambda: Snooze(60),
        "snooze for ever": lambda: Snooze(float("inf")),
        "bury": lambda: Bury("look at this"),
        "cancel": lambda: Cancel("not wanted"),
    }[kind]()


@task
def unstorable() -> object:
    return {"user": object()}


@task
def describe() -> dict[str, Any]:
    job = current_job()
    left = None if job.deadline is None else round(job.deadline - time.monotonic())
    return {"attempt": job.attempt, "target": job.target, "queue": job.queue, "labels": dict(job.labels), "left": left}


@task
def note_leak() -> str:
    before = leak.get()
    leak.set("dirty")
    return before


@task
async def leave_task_behind() -> int:
    others = len(asyncio.all_tasks()) - 1
    asyncio.get_running_loop().create_task(asyncio.sleep(3600))
    return others


@task
def end_process(how: str) -> None:
    if how == "segfault":
        ctypes.string_at(0)
    os._exit(7)


@task(retry=Fixed(33), max_attempts=2)
def end_process_with_policy() -> None:
    os._exit(9)


@task
def append(path: str, text: str, seconds: float = 0) -> None:
    with Path(path).open("a") as file:
        file.write(f"{text}\n")
    time.sleep(seconds)


@task
def own_pid(path: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")


@task
def read_stdin() -> str:
    return sys.stdin.read()


@task(transactional=True)
def insert(conn: psycopg.Connection[Any], value: int) -> int:
    conn.execute("insert into effects (value) values (%s)", [value])
    return value


@task(transactional=True)
async def insert_async(conn: psycopg.AsyncConnection[Any], value: int) -> int:
    await conn.execute("insert into effects (value) values (%s)", [value])
    return value


def sleep_on(conn: psycopg.Connection[Any]) -> None:
    with suppress(psycopg.Error):
        conn.execute("select pg_sleep(60)")


@task(transactional=True)
def insert_and(conn: psycopg.Connection[Any], then: str) -> object:
    conn.execute("insert into effects (value) values (1)")
    match then:
        case "raise":
            raise ValueError("no")
        case "commit":
            conn.commit()
        case "commit and begin":
            conn.commit()
            conn.execute("insert into effects (value) values (2)")
        case "raw commit":
            conn.execute("commit")
        case "rollback":
            conn.rollback()
        case "swallow":
            with suppress(psycopg.Error):
                conn.execute("select 1 / 0")
        case "savepoint":
            with suppress(psycopg.Error), conn.transaction():
                conn.execute("select 1 / 0")
        case "close":
            conn.close()
        case "deferred":
            conn.execute("insert into unique_effects values (1), (1)")
        case "die":
            conn.execute("select pg_terminate_backend(pg_backend_pid())")
        case "complete":
            current_job().complete(conn)
        case "thread":
            threading.Thread(target=sleep_on, args=[conn], daemon=True).start()
            time.sleep(0.2)
        case "unstorable":
            return object()
    return None


kept: list[Any] = []


@task(transactional=True)
def keep_connection(conn: psycopg.Connection[Any]) -> None:
    kept[:] = [conn, conn.cursor()]


@task(transactional=True)
def soil_session(conn: psycopg.Connection[Any]) -> None:
    conn.execute("create temp table dirt (x int)")
    conn.execute("set search_path = nowhere; set timezone = 'Asia/Tokyo'; set role pg_monitor; listen dirt")
    conn.execute("select pg_advisory_lock(4711)")
    conn.execute("prepare dirty as select 1")
    conn.row_factory = psycopg.rows.dict_row
    conn.execute("reset role")


@task(transactional=True)
def inspect_session(conn: psycopg.Connection[Any]) -> list[Any]:
    row = conn.execute(
        "select to_regclass('pg_temp.dirt') is null, current_setting('search_path'), current_user = session_user,"
        " (select count(*)::int from pg_listening_channels()), (select count(*)::int from pg_prepared_statements),"
        " (select count(*)::int from pg_locks where locktype = 'advisory' and objid = 4711),"
        " current_setting('transaction_isolation'), pg_backend_pid()"
    ).fetchone()
    assert row is not None
    return list(row)


@task
def complete_in_own_transaction(dsn: str, then: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("insert into effects (value) values (1)")
        current_job().complete(conn)
        if then == "rollback":
            conn.rollback()
    if then == "raise":
        raise ValueError("after all")


seen: list[str] = []


@contextmanager
def noting(job: JobContext) -> Iterator[None]:
    seen.append(f"enter {job.target.partition(':')[2]}")
    try:
        yield
    except ValueError:
        seen.append("error")
        raise
    seen.append("leave")


@contextmanager
def swallowing(job: JobContext) -> Iterator[None]:
    with suppress(ValueError):
        yield
