"""A feed in this process, and in processes of its own that can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue.feeding.basket import Basket
from pgqueue.store import execute, feeds
from pgqueue.store.feeds import Feed
from tests.cli.conftest import Command, Start, shell, start
from tests.cli.conftest import pgqueue as command
from tests.waiting import wait_until

__all__ = ["Command", "Start", "command", "shell", "start"]

SOURCES = "tests.feeding.sources"
TAKE = f"{SOURCES}:take"
Feeding = Callable[..., "Future[pgqueue.Fed]"]


@dataclass(frozen=True, slots=True)
class Trough:
    """What came of feeds, on a connection in autocommit mode."""

    conn: psycopg.Connection[Any]

    def numbers(self) -> list[int]:
        """The first arguments of all jobs that wait, in order."""
        rows = self.conn.execute("select args::text from pgqueue.jobs order by id").fetchall()
        return sorted(json.loads(args)[0] for (args,) in rows)

    def eat(self, count: int) -> None:
        """Let so many jobs end, the oldest first."""
        self.conn.execute(
            "delete from pgqueue.jobs where id in (select id from pgqueue.jobs order by id limit %s)", [count]
        )

    def feed(self, name: str) -> Feed:
        (found,) = execute(self.conn, feeds.listed(name))
        return found

    def await_items(self, name: str, items: int) -> None:
        """Wait until so many are fed."""
        sql = "select items >= %s from pgqueue.feeds where name = %s"
        wait_until(lambda: self.conn.execute(sql, [items, name]).fetchone() == (True,), 30, f"{items} items of {name}")


@pytest.fixture
def trough(connect: Any) -> Trough:
    return Trough(connect(autocommit=True))


@pytest.fixture
def feed(dsn: str) -> Callable[..., pgqueue.Fed]:
    """feed() to `take` on the test's database."""

    def feed(source: Any, to: Any = TAKE, **options: Any) -> pgqueue.Fed:
        named = f"{SOURCES}:{source}" if isinstance(source, str) else source
        return pgqueue.feed(named, to, **{"dsn": dsn, "name": "test", **options})

    return feed


@pytest.fixture
def feeding(feed: Callable[..., pgqueue.Fed], trough: Trough) -> Iterator[Feeding]:
    """feed() in a thread; one that is still at it after the test loses its feed.

    `interrupted_at` raises KeyboardInterrupt in it, as that step of putting items into the basket begins.
    """
    threads: list[threading.Thread] = []

    def feeding(*words: Any, interrupted_at: int | None = None, **options: Any) -> Future[pgqueue.Fed]:
        future: Future[pgqueue.Fed] = Future()
        call = partial(feed, *words, **options)
        if interrupted_at is not None:
            call = partial(_interrupted, call, interrupted_at)
        threads.append(threading.Thread(target=_resolve, args=(future, call), daemon=True))
        threads[-1].start()
        return future

    yield feeding
    # Its row alone: a table that is locked for who still works with it is a deadlock.
    trough.conn.execute("delete from pgqueue.feeds")
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    trough.conn.execute("truncate pgqueue.feeds, pgqueue.feed_batches, pgqueue.jobs")


def _interrupted(call: Callable[[], pgqueue.Fed], at: int) -> pgqueue.Fed:
    """Make the call; KeyboardInterrupt comes before its step of that number, in Basket.put or below it."""
    steps = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        inside = frame
        while inside.f_code is not Basket.put.__code__:
            if inside.f_back is None:
                return None
            inside = inside.f_back
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        if steps == at:
            raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        return call()
    finally:
        sys.settrace(None)


def _resolve(future: Future[pgqueue.Fed], call: Callable[[], pgqueue.Fed]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:
        future.set_exception(error)


@pytest.fixture
def process(start: Start) -> Callable[..., subprocess.Popen[str]]:
    """`pgqueue feed` as a process: `process("numbers", "--buffer", 10)`."""

    def process(source: str, *words: object) -> subprocess.Popen[str]:
        return start("feed", f"{SOURCES}:{source}", "--to", TAKE, "--name", "test", *words)

    return process
