"""Types of durable functions, as a checker sees them."""

from __future__ import annotations

from typing import Any, assert_type

import psycopg

import pgqueue
from pgqueue import AsyncDurable, Durable, NewJob


def charge(conn: psycopg.Connection[Any], order: int) -> str:
    return f"{conn} {order}"


def mail(order: int, *, to: str) -> bool:
    return bool(order and to)


async def charge_async(conn: psycopg.AsyncConnection[Any], order: int) -> str:
    return f"{conn} {order}"


async def mail_async(order: int) -> bool:
    return bool(order)


@pgqueue.workflow(queue="mail")
def buy(ctx: Durable, order: int) -> str:
    assert_type(ctx.step("charge", charge, order), str)
    assert_type(ctx.step("mail", mail, order, to="ann"), bool)
    ctx.step("mail", mail, "42", to="ann")  # type: ignore[misc, arg-type]  # no number
    assert_type(ctx.step("both", pgqueue.undoable(mail, bool), order, to="ann"), bool)
    assert_type(ctx.spawn(NewJob("shop:mail")), pgqueue.Child)
    assert_type(ctx.spawn([NewJob("shop:mail")]), list[pgqueue.Child])
    assert_type(ctx.parallel(lambda: ctx.step("a", mail, 1, to="b")), list[bool])
    ctx.on_rollback(mail, order, to="ann")
    ctx.on_rollback(mail, order)  # type: ignore[call-arg]  # to is missing
    return ctx.step("last", str, order)


@pgqueue.workflow
async def buy_async(ctx: AsyncDurable, order: int) -> str:
    assert_type(await ctx.step("charge", charge_async, order), str)
    assert_type(await ctx.step("mail", mail_async, order), bool)
    assert_type(await ctx.step("mail", mail, order, to="ann"), bool)
    return await ctx.step("last", str, order)


def use(conn: psycopg.Connection[Any]) -> None:
    buy.enqueue(conn, 42)
    buy.enqueue(conn, "42")  # type: ignore[call-overload]  # no number
    assert_type(pgqueue.signal(conn, "id", "approval"), bool)
    assert_type(buy.using(priority=7).job(42), NewJob)
