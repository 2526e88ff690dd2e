"""Tasks that write on the line of their own attempt, as methods of JobContext do."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import Any

import psycopg
import pytest

from pgqueue.context import JobContext, current_job
from pgqueue.errors import UsageError
from pgqueue.store.line import Line
from pgqueue.store.statement import Statement, only_value
from pgqueue.tasks import task

INSTEAD = "write `await`"
_PID = "insert into public.effects (value) values ($1) returning pg_catalog.pg_backend_pid()"


def line_of(job: JobContext) -> Line:
    assert job._line is not None
    return job._line


def put(value: int) -> Statement[int]:
    return Statement(_PID, (value,), only_value)


def ask(sql: str) -> Statement[Any]:
    return Statement(sql, (), only_value)


def write(value: int) -> int:
    line = line_of(current_job())
    return line.finish(line.run(put(value)), INSTEAD)


@task
def plain(value: int, then: str = "") -> int:
    pid = write(value)
    if then:
        raise ValueError(then)
    return pid


@task
async def plain_async(value: int, then: str = "") -> int:
    line = line_of(current_job())
    pid = await line.finish_async(line.run(put(value)))
    if then:
        raise ValueError(then)
    return pid


@task(transactional=True)
def within(conn: psycopg.Connection[Any], value: int, then: str = "") -> int:
    line = line_of(current_job())
    assert line.transaction is conn
    inside = line.finish(line.run_within(put(value)), INSTEAD)
    assert inside == conn.info.backend_pid
    assert write(value + 100) != inside
    if then:
        raise ValueError(then)
    return inside


@task(transactional=True)
async def within_async(conn: psycopg.AsyncConnection[Any], value: int, then: str = "") -> int:
    line = line_of(current_job())
    inside = await line.finish_async(line.run_within(put(value)))
    assert inside == conn.info.backend_pid
    assert await line.finish_async(line.run(put(value + 100))) != inside
    if then:
        raise ValueError(then)
    return inside


@task
async def from_everywhere() -> list[int]:
    """In its loop, in a thread of its own, and in the loop of that thread; never in a way that stops the loop."""
    job = current_job()
    line = line_of(job)
    with pytest.raises(UsageError, match=INSTEAD):
        line.finish(line.run(put(0)), INSTEAD)
    awaited = line.call(line.run(put(1)))
    assert not isinstance(awaited, int)
    first = await awaited
    second = await asyncio.to_thread(lambda: line.finish(line.run(put(2)), INSTEAD))
    third = await asyncio.to_thread(lambda: asyncio.run(line.finish_async(line.run(put(3)))))
    return [first, second, third]


@task
def in_a_loop_of_its_own(value: int) -> int:
    line = line_of(current_job())
    return asyncio.run(line.finish_async(line.run(put(value))))


@task
async def many(count: int) -> int:
    """How many connections it takes to do all that at once."""
    line = line_of(current_job())
    return len(set(await asyncio.gather(*(line.run(put(value)) for value in range(count)))))


@task
def many_threads(count: int) -> None:
    line = line_of(current_job())
    threads = [threading.Thread(target=lambda: line.finish(line.run(put(1)), INSTEAD)) for _ in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


@task
def run_sql(sql: str) -> Any:
    line = line_of(current_job())
    return line.finish(line.run(ask(sql)), INSTEAD)


@task
def close_socket() -> None:
    """As a task does that closes every file, and opens some of its own."""
    write(1)
    wire: Any = line_of(current_job())._wire
    number = wire._free[0].conn.fileno()
    os.close(number)
    os.dup2(os.open(os.devnull, os.O_RDWR), number)


@task
def fork() -> int:
    """What a copy of the process got when it used the line."""
    write(1)
    if (pid := os.fork()) == 0:
        try:
            write(2)
        except UsageError:
            os._exit(7)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    write(3)
    return status
