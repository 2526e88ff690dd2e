"""Tasks whose errors come in groups, in disguise, or beside others; and policies and middleware that raise as well."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

import pgqueue
from pgqueue.context import JobContext
from pgqueue.retry import RetryPolicy
from pgqueue.tasks import task

ERRORS: dict[str, Callable[[], BaseException]] = {
    "snooze": lambda: pgqueue.Snooze(3600),
    "snooze less": lambda: pgqueue.Snooze(60),
    "bury": lambda: pgqueue.Bury("no such customer"),
    "cancel": lambda: pgqueue.Cancel("not wanted"),
    "retry": lambda: pgqueue.Retry(delay=77),
    "value": lambda: ValueError("never right"),
    "key": lambda: KeyError("never right"),
    "disk": lambda: OSError(28, "No space left on device"),
    "host": lambda: ConnectionResetError("the host's network"),
}


async def _raising(name: str) -> None:
    await asyncio.sleep(0)
    raise ERRORS[name]()


async def _grouped(names: list[Any]) -> None:
    async with asyncio.TaskGroup() as group:
        for each in names:
            group.create_task(_grouped(each) if isinstance(each, list) else _raising(each))


@task(retry=pgqueue.RetryPolicy(not_on=(ValueError, KeyError)), infra_errors=(ConnectionResetError,), max_attempts=5)
async def grouped(names: list[Any]) -> None:
    await _grouped(names)


@task(retry=pgqueue.RetryPolicy(not_on=(ValueError,)))
def grouped_sync(names: list[str]) -> None:
    raise BaseExceptionGroup("several", [ERRORS[name]() for name in names])


@task(transactional=True)
async def grouped_in_transaction(conn: psycopg.AsyncConnection[Any], names: list[Any]) -> None:
    await _grouped(names)


class _Broken(RetryPolicy):
    def delay(self, attempt: int) -> float:
        raise TypeError("can't multiply a policy")


class _Absurd(RetryPolicy):
    def delay(self, attempt: int) -> float:
        return float("nan")


@task(retry=_Broken())
def with_broken_policy() -> None:
    raise ConnectionError("the bank does not answer")


@task(retry=_Absurd())
def with_absurd_policy() -> None:
    raise ConnectionError("the bank does not answer")


@task
def failing() -> None:
    raise ConnectionError("the bank does not answer")


@task
async def failing_async() -> None:
    raise ConnectionError("the bank does not answer")


@task(transactional=True)
def committing(conn: psycopg.Connection[Any]) -> None:
    conn.execute("insert into public.effects (value) values (1)")


@contextmanager
def raising_after(job: JobContext) -> Iterator[None]:
    """A middleware whose own tidying goes wrong, whatever the job does."""
    try:
        yield
    finally:
        raise RuntimeError("the tracer is away")


@contextmanager
def burying(job: JobContext) -> Iterator[None]:
    """A middleware that decides about errors."""
    try:
        yield
    except ConnectionError as error:
        raise pgqueue.Bury("no use in trying") from error


@task
def two(first: int, second: int = 0) -> int:
    return first + second


@task
async def two_async(first: int, *, second: int) -> int:
    return first + second


@task(transactional=True)
def two_in_transaction(conn: psycopg.Connection[Any], first: int) -> int:
    return first


@task
def own_type_error(value: object) -> None:
    two(*[value] * 5)


def _wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@task
@_wrapped
def decorated(first: int) -> int:
    return first


@task(transactional=True, max_attempts=2, retry=pgqueue.Fixed(60))
def raise_state(conn: psycopg.Connection[Any], state: str, how: str) -> None:
    try:
        conn.execute(f"do $$ begin raise exception 'undone' using errcode = '{state}'; end $$")
    except psycopg.Error as error:
        if how == "plain":
            raise
        if how == "caused":
            raise RuntimeError("as an ORM says it") from error
        raise ExceptionGroup("several", [error]) from None


@task(transactional=True, max_attempts=1)
def lock_crosswise(conn: psycopg.Connection[Any], first: int, second: int, folder: str) -> None:
    """Lock one row, wait until the other one is locked, too, and ask for that."""
    lock = "update public.effects set value = value where value = %s"
    conn.execute(lock, [first])
    Path(folder, str(first)).touch()
    end = time.monotonic() + 20
    while not Path(folder, str(second)).exists() and time.monotonic() < end:
        time.sleep(0.01)
    conn.execute(lock, [second])
