"""Tasks that do something once, and note each time they do it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

import psycopg

import pgqueue
from pgqueue import Bury, SoftTimeout
from pgqueue.context import current_job, home_database

EFFECTS = "insert into effects (value) values (%s)"


def note(value: int) -> None:
    """An effect outside of the job's transactions."""
    with psycopg.connect(home_database() or "", autocommit=True) as conn:
        conn.execute(EFFECTS, [value])


def _end(then: str) -> None:
    match then:
        case "raise":
            raise ValueError("it did not happen")
        case "unsure":
            raise TimeoutError("it may have happened")
        case "time out":
            raise SoftTimeout
        case "bury":
            raise Bury("it is not wanted")
        case "sleep":
            time.sleep(20)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)


@pgqueue.task
def send(key: str, value: int, then: str = "", options: dict[str, Any] | None = None) -> Any:
    job = current_job()
    with job.once(key, unsure=(TimeoutError,), **(options or {})) as first:
        if first:
            note(value)
            first.value = {"n": value, "unknown": first.is_unknown}
            _end(then)
    return [bool(first), first.is_unknown, str(first.job_id), first.value]


@pgqueue.task
async def send_async(key: str, value: int, then: str = "", options: dict[str, Any] | None = None) -> Any:
    job = current_job()
    async with job.once(key, unsure=(TimeoutError,), **(options or {})) as first:
        if first:
            await asyncio.to_thread(note, value)
            first.value = {"n": value, "unknown": first.is_unknown}
            if then == "cancel":
                raise asyncio.CancelledError
            _end(then)
    return [bool(first), first.is_unknown, str(first.job_id), first.value]


@pgqueue.task(transactional=True)
def put(conn: psycopg.Connection[Any], key: str, value: int, then: str = "", later: str = "") -> Any:
    with current_job().once(key) as first:
        if first:
            conn.execute(EFFECTS, [value])
            first.value = {"n": value}
            _end(then)
    _end(later)
    return [bool(first), first.is_unknown, str(first.job_id), first.value]


@pgqueue.task(transactional=True)
async def put_async(conn: psycopg.AsyncConnection[Any], key: str, value: int, then: str = "", later: str = "") -> Any:
    async with current_job().once(key) as first:
        if first:
            await conn.execute(EFFECTS, [value])
            first.value = {"n": value}
            _end(then)
    _end(later)
    return [bool(first), first.is_unknown, str(first.job_id), first.value]


@pgqueue.task(transactional=True)
def put_and_catch(conn: psycopg.Connection[Any], key: str) -> None:
    try:
        with current_job().once(key) as first:
            assert first
            raise ValueError
    except ValueError:
        pass


@pgqueue.task(transactional=True)
def send_outside(conn: psycopg.Connection[Any], key: str, value: int) -> None:
    with current_job().once(key, outside=True) as first:
        if first:
            note(value)
    raise ValueError("the transaction is rolled back, the mail is not")


@pgqueue.task
def nested(key: str) -> None:
    job = current_job()
    with job.once(key), job.once(key):
        pass


@pgqueue.task
async def blocking(key: str) -> None:
    with current_job().once(key):
        pass


@pgqueue.task(transactional=True)
def put_two(conn: psycopg.Connection[Any], one: str, other: str) -> None:
    job = current_job()
    with job.once(one), job.once(other):
        pass
