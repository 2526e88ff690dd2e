"""Each enqueue is seen on its way by who asked for it, one or many; and named context travels with the job."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import replace
from typing import Any

import psycopg
import pytest

import pgqueue
from pgqueue import Enqueuing, NewJob, enqueuing, instruments
from pgqueue.errors import OptionError, UsageError
from tests import factories
from tests.hooks.travelling import user, who, who_async
from tests.worker.conftest import desk, spawn  # noqa: F401  # fixtures
from tests.worker.running import TWO_KINDS, Desk, StartProcess

Conn = psycopg.Connection[Any]
TARGET = factories.TARGET


@pytest.fixture
def labelled() -> Iterator[None]:
    """Jobs are given a label and a header."""

    def label(call: Enqueuing) -> None:
        call.add_labels(tenant="t7", by="middleware")
        call.headers["request"] = "r-1"

    pgqueue.on_enqueue(label)
    yield
    enqueuing.forget(label)


@pytest.fixture
def travelling() -> Iterator[None]:
    pgqueue.travels(user, read=int)
    yield
    enqueuing.stays(user)


def found(conn: Conn) -> list[tuple[Any, Any]]:
    return conn.execute("select labels, headers from pgqueue.jobs order by id").fetchall()


@pytest.mark.parametrize("way", ["one", "keyed", "many", "copied", "task", "using"])
@pytest.mark.usefixtures("labelled")
def test_whichever_way_a_job_goes_it_is_seen(conn: Conn, way: str) -> None:
    match way:
        case "one":
            pgqueue.enqueue(conn, TARGET)
        case "keyed":
            pgqueue.enqueue(conn, TARGET, unique_key="k")
        case "many":
            pgqueue.enqueue_many(conn, [NewJob(TARGET, unique_key="k"), NewJob(TARGET)])
        case "copied":
            pgqueue.enqueue_many(conn, [NewJob(TARGET)] * 2_000)
        case "task":
            who.enqueue(conn)
        case "using":
            with pgqueue.bound(conn):
                who.using(priority=7).delay()
    jobs = found(conn)
    assert jobs
    assert all(each == ({"tenant": "t7", "by": "middleware"}, {"request": "r-1"}) for each in jobs)


@pytest.mark.usefixtures("labelled")
def test_an_async_connection_is_no_other_way(dsn: str, conn: Conn) -> None:
    async def enqueue() -> None:
        async with await psycopg.AsyncConnection.connect(dsn) as theirs:
            await pgqueue.enqueue(theirs, TARGET)
            await pgqueue.enqueue_many(theirs, [NewJob(TARGET)])

    asyncio.run(enqueue())
    assert [headers for _, headers in found(conn)] == [{"request": "r-1"}] * 2


@pytest.mark.usefixtures("labelled")
def test_what_the_call_says_itself_stays(conn: Conn) -> None:
    pgqueue.enqueue(conn, TARGET, labels={"by": "me"})
    assert found(conn)[0][0] == {"tenant": "t7", "by": "me"}


def test_what_it_raises_the_call_raises_and_nothing_is_sent(conn: Conn) -> None:
    def refuse(call: Enqueuing) -> None:
        raise PermissionError("nobody is logged in")

    pgqueue.on_enqueue(refuse)
    try:
        with pytest.raises(PermissionError, match="nobody is logged in"):
            pgqueue.enqueue(conn, TARGET)
        with pytest.raises(PermissionError):
            pgqueue.enqueue_many(conn, [NewJob(TARGET)])
    finally:
        enqueuing.forget(refuse)
    assert found(conn) == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (lambda call: call.headers.update(n=1), OptionError),
        (lambda call: call.headers.update(n="x" * 10_000), OptionError),
        (lambda call: setattr(call, "job", replace(call.job, target="os:system")), UsageError),
        (lambda call: setattr(call, "job", None), UsageError),
    ],
)
def test_what_it_may_not_do_is_refused(conn: Conn, wrong: Any, fault: type[Exception]) -> None:
    pgqueue.on_enqueue(wrong)
    try:
        with pytest.raises(fault):
            pgqueue.enqueue(conn, TARGET)
    finally:
        enqueuing.forget(wrong)


@pytest.mark.parametrize("kind", TWO_KINDS)
@pytest.mark.usefixtures("travelling")
def test_named_context_is_in_the_job_what_it_was_where_that_was_enqueued(
    spawn: StartProcess,  # noqa: F811
    desk: Desk,  # noqa: F811
    kind: str,
) -> None:
    spawn(executor=kind, app=["tests.hooks.travelling_app"], concurrency=1)
    tasks = (who_async, who) if kind == "async" else (who, who_async)

    def enqueue(number: int | None) -> list[Any]:
        if number is not None:
            user.set(number)
        return [task.enqueue(desk.conn) for task in tasks] + pgqueue.enqueue_many(desk.conn, [who.job()])

    sent = {number: copy_context().run(enqueue, number) for number in (7, None, 8)}
    desk.await_all_ended()
    for number, jobs in sent.items():
        answers = [pgqueue.result(desk.conn, getattr(job, "id", job)) for job in jobs]
        assert answers == [number or 0] * 3


def test_nothing_is_asked_where_nobody_has_registered() -> None:
    assert not enqueuing.registered
    assert enqueuing._carrier not in instruments.installed
