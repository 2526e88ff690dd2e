"""Tasks are typed as their functions are: calls, arguments and results."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, assert_type
from uuid import UUID

import psycopg

import pgqueue


@dataclass
class Invoice:
    order: UUID
    total: Decimal


@pgqueue.task
def bill(order: UUID, amount: Decimal) -> Invoice:
    return Invoice(order, amount)


@pgqueue.task(codec="fernet", max_args=2_000_000, store_result=True)
async def bill_later(order: UUID) -> list[Invoice]:
    return []


def resized(path: str, width: int = 320) -> Invoice:
    raise NotImplementedError


resize = pgqueue.command_task("resize", ["node", "resize.js"], takes=resized, queue="media", env={"A": "b"})
anything = pgqueue.command_task("anything", ["true"], retry=pgqueue.Fixed(5))
posted = pgqueue.http_task("posted", "https://example.com/", secret=["new", "old"], takes=resized, timeout=30)
posted_anything = pgqueue.http_task("posted_anything", "https://example.com/", allow_private=["10.0.0.0/8"])


@pgqueue.task(transactional=True)
def book(conn: psycopg.Connection[Any], order: UUID) -> Invoice | None:
    return None


def with_a_connection(conn: psycopg.Connection[Any], job: pgqueue.Enqueued, order: UUID) -> None:
    assert_type(bill.enqueue(conn, order, Decimal(1)), pgqueue.Enqueued)
    assert_type(bill.result(conn, job), Invoice)
    assert_type(resize.enqueue(conn, "a.png", width=64), pgqueue.Enqueued)
    assert_type(resize.result(conn, job), Invoice)
    assert_type(posted.result(conn, job), Invoice)
    assert_type(posted.job("a.png"), pgqueue.NewJob)
    resize.enqueue(conn, "a.png", height=64)  # type: ignore[call-overload]
    posted.enqueue(conn, 5)  # type: ignore[call-overload]
    anything.enqueue(conn, 1, two=3)
    posted_anything.enqueue(conn)
    assert_type(bill.using(queue="mail").result(conn, job.id, timeout=5), Invoice)
    assert_type(bill_later.result(conn, job), list[Invoice])
    assert_type(book.result(conn, job), Invoice | None)
    assert_type(book.job(order), pgqueue.NewJob)
    bill.enqueue(conn, "order", Decimal(1))  # type: ignore[call-overload]
    bill.enqueue(conn, order)  # type: ignore[call-overload]
    bill.using(colour="red")  # type: ignore[call-arg]


async def with_an_async_connection(conn: psycopg.AsyncConnection[Any], job: pgqueue.Enqueued) -> None:
    assert_type(bill.result(conn, job), Awaitable[Invoice])
    assert_type(await bill.result(conn, job), Invoice)
    assert_type(await bill_later.result(conn, job, 5), list[Invoice])
    assert_type(await book.result(conn, job), Invoice | None)


def workflows(conn: psycopg.Connection[Any], orders: Iterator[UUID]) -> None:
    assert_type(pgqueue.chain(bill.job(UUID(int=1), pgqueue.previous)).enqueue(conn, name="one"), pgqueue.Started)
    assert_type(pgqueue.map(bill_later, orders, then=book.job(pgqueue.results)).enqueue(conn), pgqueue.Started)
    flow = pgqueue.Workflow("order", on_failure="cancel")
    assert_type(flow.add(bill, UUID(int=1), name="bill"), pgqueue.Node)
    assert_type(flow.enqueue(conn), pgqueue.Started)
    group = pgqueue.open_group(conn, "import")
    assert_type(group, pgqueue.OpenGroup)
    assert_type(group.add(conn, book.job(UUID(int=1))), list[UUID])
    assert_type(pgqueue.cancel_workflow(conn, group.id), int)
    pgqueue.chain(bill)  # type: ignore[arg-type]
    pgqueue.Workflow("order", on_failure="stop")  # type: ignore[arg-type]


async def workflows_later(conn: psycopg.AsyncConnection[Any]) -> None:
    assert_type(await pgqueue.Workflow("order").enqueue(conn), pgqueue.Started)
    assert_type(await pgqueue.open_group(conn), pgqueue.OpenGroup)
    assert_type(await pgqueue.retry_workflow(conn, UUID(int=1)), int)
