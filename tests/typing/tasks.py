"""Tasks are typed as their functions are: calls, arguments and results."""

from __future__ import annotations

from collections.abc import Awaitable
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


@pgqueue.task(transactional=True)
def book(conn: psycopg.Connection[Any], order: UUID) -> Invoice | None:
    return None


def with_a_connection(conn: psycopg.Connection[Any], job: pgqueue.Enqueued, order: UUID) -> None:
    assert_type(bill.enqueue(conn, order, Decimal(1)), pgqueue.Enqueued)
    assert_type(bill.result(conn, job), Invoice)
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
