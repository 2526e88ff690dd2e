"""Every way into the queue takes every kind of target that enqueue() takes, and refuses the others as it does."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.store.bulk import FEWEST
from tests.factories import Conn, count

HERE = __name__


@pgqueue.task(queue="mail", priority=7)
def send(number: int) -> None: ...


@pgqueue.task(transactional=True)
def charge(conn: object, number: int) -> None: ...


def plain(number: int) -> None: ...


def one(conn: Conn, target: Any) -> UUID:
    return pgqueue.enqueue(conn, target, [1]).id


def of_few(conn: Conn, target: Any) -> UUID:
    return pgqueue.enqueue_many(conn, [pgqueue.NewJob(target, [1])])[0]


def of_a_copy(conn: Conn, target: Any) -> UUID:
    return pgqueue.enqueue_many(conn, [pgqueue.NewJob(target, [1])] * FEWEST)[-1]


def of_a_mixed_copy(conn: Conn, target: Any) -> UUID:
    others = [pgqueue.NewJob("shop.tasks:other")] * FEWEST
    return pgqueue.enqueue_many(conn, [*others, pgqueue.NewJob(target, [1])])[-1]


def with_a_key(conn: Conn, target: Any) -> UUID:
    return pgqueue.enqueue_many(conn, [pgqueue.NewJob(target, [1], unique_key="k")])[0]


def in_a_pipeline(conn: Conn, target: Any) -> UUID:
    with conn.pipeline():
        return pgqueue.enqueue_many(conn, [pgqueue.NewJob(target, [1])] * FEWEST)[-1]


def _async(act: Callable[[Any, Any], Any]) -> Callable[[Conn, Any], UUID]:
    def way(conn: Conn, target: Any) -> UUID:
        async def main() -> Any:
            async with await psycopg.AsyncConnection.connect(conn.info.dsn, autocommit=True) as own:
                return await act(own, target)

        made: UUID = asyncio.run(main())
        return made

    return way


async def _async_one(conn: Any, target: Any) -> UUID:
    return (await pgqueue.enqueue(conn, target, [1])).id


async def _async_copy(conn: Any, target: Any) -> UUID:
    return (await pgqueue.enqueue_many(conn, [pgqueue.NewJob(target, [1])] * FEWEST))[-1]


WAYS: dict[str, Callable[[Conn, Any], UUID]] = {
    "enqueue": one,
    "enqueue_many": of_few,
    "enqueue_many by COPY": of_a_copy,
    "enqueue_many by COPY, mixed": of_a_mixed_copy,
    "enqueue_many with a key": with_a_key,
    "enqueue_many in a pipeline": in_a_pipeline,
    "async enqueue": _async(_async_one),
    "async enqueue_many": _async(_async_copy),
}
GOOD: dict[str, tuple[Any, str, str, int]] = {
    "text": ("shop.tasks:send", "shop.tasks:send", "default", 5),
    "text of a task": (f"{HERE}:send", f"{HERE}:send", "mail", 7),
    "function": (plain, f"{HERE}:plain", "default", 5),
    "task": (send, f"{HERE}:send", "mail", 7),
    "function of a task": (send.function, f"{HERE}:send", "mail", 7),
    "task with other options": (send.using(queue="slow"), f"{HERE}:send", "slow", 7),
    "transactional task": (charge, f"{HERE}:charge", "default", 5),
}


class Holder:
    def method(self) -> None: ...

    def __call__(self) -> None: ...


def _of_main() -> Any:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("def job(number): ...", namespace)
    return namespace["job"]


BAD: dict[str, tuple[Any, str]] = {
    "malformed text": ("shop.send", "target must read 'module:function', got 'shop.send'"),
    "empty text": ("", "target must read"),
    "dunder": ("shop:__import__", "names a part of Python itself"),
    "lambda": (lambda number: None, "a lambda has no name"),
    "local": (lambda: plain, "a lambda has no name"),
    "class": (Holder, "is a class"),
    "method": (Holder.method, "is a method"),
    "bound method": (Holder().method, "is a method"),
    "callable object": (Holder(), "is a Holder"),
    "partial": (functools.partial(plain, 1), "is a partial"),
    "builtin": (len, "is a builtin_function_or_method"),
    "None": (None, "is a NoneType"),
    "number": (5, "is a int"),
    "list": (["shop.tasks:send"], "is a list"),
    "function of __main__": (_of_main(), "is defined in __main__"),
    "task of __main__": (pgqueue.Task(_of_main()), "is defined in __main__"),
}


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[[Conn, Any], UUID]:
    chosen: Callable[[Conn, Any], UUID] = request.param
    return chosen


@pytest.mark.parametrize("kind", GOOD)
def test_every_way_in_takes_every_kind_of_target(db: Conn, way: Callable[[Conn, Any], UUID], kind: str) -> None:
    target, *found = GOOD[kind]
    job = pgqueue.get_job(db, way(db, target))
    assert [job.target, job.queue, job.priority] == found
    assert job.args == [1]


@pytest.mark.parametrize("kind", BAD)
def test_every_way_in_refuses_the_others_before_anything_is_sent(
    db: Conn, way: Callable[[Conn, Any], UUID], kind: str
) -> None:
    target, fault = BAD[kind]
    with pytest.raises(pgqueue.TargetError, match=fault):
        way(db, target)
    assert db.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert count(db, "jobs") == 0


@pytest.mark.parametrize("wrong", ["shop.tasks:send", ("shop.tasks:send", [1]), send, None, {"target": "a:b"}])
def test_a_batch_takes_nothing_but_new_jobs(db: Conn, wrong: Any) -> None:
    with pytest.raises(pgqueue.UsageError, match=r"a job to enqueue is a NewJob, got .*; write NewJob\(target, args\)"):
        pgqueue.enqueue_many(db, [pgqueue.NewJob("a:b"), wrong])
    assert count(db, "jobs") == 0


@pytest.mark.parametrize("call", [pgqueue.get_job, pgqueue.cancel, pgqueue.retry, pgqueue.attempts])
def test_a_job_is_named_by_what_a_call_answered_about_it(db: Conn, call: Any) -> None:
    enqueued = pgqueue.enqueue(db, "shop.tasks:send", delay=60)
    job = pgqueue.get_job(db, enqueued)
    by_id = call(db, job.id)
    for named in (enqueued, job, str(job.id)):
        again = call(db, named)
        assert again == by_id or call is pgqueue.retry
    with pytest.raises(pgqueue.UsageError, match=r"a NewJob has no id before it is enqueued"):
        call(db, pgqueue.NewJob("shop.tasks:send"))
    for wrong in (42, None, send, [job.id], "not an id"):
        with pytest.raises(pgqueue.UsageError, match=r"job_id must be a uuid\.UUID, or what enqueue\(\) answered"):
            call(db, wrong)


def test_a_single_new_job_where_it_does_not_belong_is_told_where_it_does(db: Conn) -> None:
    new = pgqueue.NewJob("a:b")
    with pytest.raises(pgqueue.UsageError, match=r"pass a list of them: enqueue_many\(conn, \[new\]\)"):
        pgqueue.enqueue_many(db, new)  # type: ignore[arg-type]
    with pytest.raises(pgqueue.UsageError, match=r"pass it to enqueue_many\(conn, \[new\]\)"):
        pgqueue.enqueue(db, new)  # type: ignore[call-overload]
    assert count(db, "jobs") == 0
