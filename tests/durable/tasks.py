"""Workflows of tests. What their steps do outside stands in a file, what they do inside in the table `done`."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

import pgqueue
from pgqueue import AsyncDurable, Durable
from pgqueue.retry import Fixed

SOON = Fixed(0.02)


class Account(NamedTuple):
    number: int
    owner: str


def note(path: str, text: object) -> str:
    """A line of a file: an effect outside of the database."""
    with Path(path).open("a") as file:
        file.write(f"{text}\n")
    return f"noted {text}"


async def note_async(path: str, text: object) -> str:
    return note(path, text)


def write(conn: psycopg.Connection[Any], text: str) -> str:
    """A row: an effect in the transaction of the memo."""
    conn.execute("insert into done (text) values (%s)", [text])
    return f"wrote {text}"


async def write_async(conn: psycopg.AsyncConnection[Any], text: str) -> str:
    await conn.execute("insert into done (text) values (%s)", [text])
    return f"wrote {text}"


def fail() -> None:
    raise ValueError("no")


def open_account(number: int) -> Account:
    return Account(number, "ann")


def open_book(number: int) -> dict[str, Any]:
    return {"number": number}


@pgqueue.workflow(retry=SOON, store_result=True)
def three_steps(ctx: Durable, path: str, failures: int) -> list[str]:
    """Fails behind each of its first steps, `failures` times in all."""
    said = [ctx.step("first", note, path, "first")]
    if ctx.job.attempt == 1 and failures:
        raise ValueError("behind the first")
    said.append(ctx.step("second", write, "second"))
    if ctx.job.attempt == 2 and failures > 1:
        raise ValueError("behind the second")
    said += [ctx.step("loop", note, path, number) for number in range(2)]
    return said


@pgqueue.workflow(retry=SOON, store_result=True)
async def three_steps_async(ctx: AsyncDurable, path: str, failures: int) -> list[str]:
    said = [await ctx.step("first", note_async, path, "first")]
    if ctx.job.attempt == 1 and failures:
        raise ValueError("behind the first")
    said.append(await ctx.step("second", write_async, "second"))
    if ctx.job.attempt == 2 and failures > 1:
        raise ValueError("behind the second")
    said += await ctx.parallel(*(ctx.step(f"branch {n}", note, path, n) for n in range(2)))
    return said


@pgqueue.workflow(retry=SOON, store_result=True)
def typed(ctx: Durable) -> str:
    first = ctx.step("account", open_account, 7)
    pairs = ctx.step("pairs", lambda: {"a": (1, 2)})
    if ctx.job.attempt < 2:
        raise ValueError("again")
    return f"{first!r} {pairs!r}"


@pgqueue.workflow(retry=SOON, max_attempts=2)
def changed(ctx: Durable) -> Account:
    """Its first attempt remembers a dict, which is no Account."""
    found = ctx.step("account", open_book if ctx.job.attempt == 1 else open_account, 7)
    if ctx.job.attempt == 1:
        raise ValueError("again")
    assert isinstance(found, Account)
    return found


@pgqueue.workflow(retry=SOON, store_result=True)
def sleepy(ctx: Durable, path: str, seconds: float) -> str:
    ctx.step("before", note, path, "before")
    try:
        ctx.sleep("night", timedelta(seconds=seconds))
    except Exception as error:
        note(path, f"kept awake by {error!r}")
    ctx.step("after", note, path, "after")
    return "slept"


@pgqueue.workflow(retry=SOON, store_result=True)
async def sleepy_async(ctx: AsyncDurable, path: str, seconds: float) -> str:
    await ctx.step("before", note_async, path, "before")
    await ctx.sleep("night", seconds)
    await ctx.step("after", note_async, path, "after")
    return "slept"


@pgqueue.workflow(max_attempts=1)
def sleepless(ctx: Durable) -> None:
    with contextlib.suppress(BaseException):
        ctx.sleep(3600)


@pgqueue.workflow(retry=SOON, store_result=True)
def patient(ctx: Durable, timeout: float | None = None) -> Any:
    return ctx.wait_for("approval", timeout=timeout, default="nobody came")


@pgqueue.workflow(retry=SOON, store_result=True)
async def patient_async(ctx: AsyncDurable, timeout: float | None = None) -> Any:
    return await ctx.wait_for("approval", timeout=timeout, default="nobody came")


@pgqueue.workflow(retry=SOON, store_result=True)
def forgetful(ctx: Durable) -> Any:
    """Times out, and is begun again after the signal has come."""
    came = ctx.wait_for("approval", timeout=0.05, default="late")
    ctx.wait_for("go")
    return came


@pgqueue.workflow(retry=SOON, store_result=True)
def asking(ctx: Durable, timeout: float | None = None) -> list[Any]:
    found = ctx.approve("Refund order 42?", timeout=timeout, amount=12)
    return [bool(found), found.answer, found.why, found.timed_out]


@pgqueue.task(store_result=True, max_attempts=1)
def double(number: int) -> int:
    if number < 0:
        raise ValueError(f"cannot double {number}")
    return 2 * number


@pgqueue.task
def idle() -> None:
    time.sleep(0.001)


@pgqueue.workflow(retry=SOON, store_result=True, max_attempts=2)
def parent(ctx: Durable, numbers: list[int], forgiving: bool = False) -> list[Any]:
    one = ctx.spawn(double.job(21))
    others = ctx.spawn([double.job(number) for number in numbers], name="others")
    found = ctx.join(one, *others, return_exceptions=forgiving)
    return [repr(each) if isinstance(each, Exception) else each for each in found]


@pgqueue.workflow(retry=SOON, max_attempts=1)
def bad_parent(ctx: Durable) -> None:
    ctx.spawn(idle.using(delay=3600).job())
    ctx.spawn(idle.using(delay=3600).job(), name="detached", detach=True)
    raise ValueError("no")


def cancel_flight(conn: psycopg.Connection[Any], flight: str) -> None:
    if conn.execute("select to_regclass('strike') is not null").fetchone() == (True,):
        raise ConnectionError("the airline is away")
    conn.execute("insert into done (text) values (%s)", [f"undone {flight}"])


def cancel_hotel(path: str, hotel: str) -> None:
    note(path, f"undone {hotel}")


async def cancel_async(conn: psycopg.AsyncConnection[Any], flight: str) -> None:
    await conn.execute("insert into done (text) values (%s)", [f"undone {flight}"])


@pgqueue.workflow(retry=SOON, max_attempts=2, queue="trips")
def trip(ctx: Durable, path: str, then: str) -> None:
    ctx.step("flight", pgqueue.undoable(write, cancel_flight), "flight")
    ctx.on_rollback(cancel_hotel, path, "hotel")
    ctx.step("hotel", note, path, "hotel")
    if then == "fail":
        raise ValueError("no car")
    if then == "wait":
        ctx.wait_for("car")
    if then == "cancel":
        raise pgqueue.Cancel("no car")


@pgqueue.workflow(retry=SOON, max_attempts=1)
async def trip_async(ctx: AsyncDurable) -> None:
    await ctx.step("flight", pgqueue.undoable(write_async, cancel_async), "flight")
    await ctx.on_rollback(cancel_async, "hotel")
    raise ValueError("no car")


@pgqueue.workflow(max_attempts=1, store_result=True)
def branches(ctx: Durable, path: str) -> list[str]:
    return ctx.parallel(*(functools.partial(ctx.step, f"branch {n}", note, path, n) for n in range(4)))


@pgqueue.workflow(max_attempts=1)
def same_name(ctx: Durable) -> None:
    ctx.parallel(*(functools.partial(ctx.step, "same", time.sleep, 0.01) for _ in range(2)))


@pgqueue.workflow(max_attempts=1)
def waiting_branch(ctx: Durable) -> None:
    ctx.parallel(lambda: ctx.sleep(5))


@pgqueue.workflow(max_attempts=1, store_result=True)
def charge(ctx: Durable, path: str, amount: int) -> str:
    ctx.step("look", note, path, "look")
    ctx.step("charge", note, path, f"charge {amount}")
    return ctx.step("mail", note, path, "mail")


@pgqueue.workflow(sensitive=("token",), max_attempts=1)
def secretive(ctx: Durable, token: str) -> None:
    ctx.step("echo", str, token)
    raise ValueError(f"with {token}")


@pgqueue.workflow(max_attempts=1)
def large(ctx: Durable) -> None:
    ctx.step("large", lambda: "x" * 2**21)


def die(folder: str, point: str, here: str) -> None:
    """Be killed at this point, the first time."""
    mark = Path(folder, f"killed-{point}")
    if point == here and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def book(conn: psycopg.Connection[Any], folder: str, point: str, what: str) -> str:
    die(folder, point, f"in {what}")
    conn.execute("insert into done (text) values (%s)", [f"{point}: {what}"])
    die(folder, point, f"behind {what}")
    return what


def pay(folder: str, point: str) -> str:
    """An effect outside: once more after a crash in it."""
    note(f"{folder}/paid", point)
    die(folder, point, "in pay")
    return "paid"


def unbook(conn: psycopg.Connection[Any], folder: str, point: str, what: str) -> None:
    die(folder, point, f"in undo {what}")
    conn.execute("insert into done (text) values (%s)", [f"{point}: undone {what}"])
    die(folder, point, f"behind undo {what}")


@pgqueue.workflow(retry=SOON, max_attempts=3)
def saga(ctx: Durable, folder: str, point: str) -> None:
    die(folder, point, "at the start")
    ctx.on_rollback(unbook, folder, point, "flight")
    die(folder, point, "before flight")
    ctx.step("flight", book, folder, point, "flight")
    die(folder, point, "after flight")
    ctx.on_rollback(unbook, folder, point, "hotel")
    ctx.step("hotel", book, folder, point, "hotel")
    ctx.step("pay", pay, folder, point)
    die(folder, point, "after pay")
    ctx.sleep(0.05)
    child = ctx.spawn(double.job(1))
    die(folder, point, "after spawn")
    ctx.join(child)
    die(folder, point, "at the end")
    raise pgqueue.Bury("no car")


SAGA_POINTS = (
    "nowhere",
    "at the start",
    "before flight",
    "in flight",
    "behind flight",
    "after flight",
    "in hotel",
    "behind hotel",
    "in pay",
    "after pay",
    "after spawn",
    "at the end",
    "in undo hotel",
    "behind undo hotel",
    "in undo flight",
    "behind undo flight",
)
