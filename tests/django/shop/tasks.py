"""The shop's tasks: of Django's framework, of pgqueue's, and a plain function."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection, transaction

import pgqueue
from pgqueue.contrib.django import job_options
from tests.django.shop.framework import task
from tests.django.shop.models import Receipt


@task
def add(a: int, b: int = 0) -> int:
    return a + b


@task(priority=20, queue_name="mail")
def send_receipt(order: int, copies: int = 1) -> None:
    for _ in range(copies):
        Receipt.objects.create(order=order)


@task(takes_context=True)
def tell_context(context: Any, word: str) -> list[Any]:
    result = context.task_result
    return [word, context.attempt, result.id, str(result.status), result.args, result.kwargs]


@task
async def write_receipt(order: int) -> int:
    await asyncio.sleep(0)
    return (await sync_to_async(Receipt.objects.create)(order=order, by="async")).order


@task
def fail(order: int) -> None:
    raise LookupError(f"no order {order}")


@task
@job_options(max_attempts=1)
def fail_once(order: int) -> None:
    raise LookupError(f"no order {order}")


@task
def give_back_what_is_not_json() -> object:
    return object()


@task
def give_back(value: Any) -> Any:
    return value


@task
def take_anything(*args: Any, **kwargs: Any) -> list[Any]:
    return [list(args), kwargs]


@task
def take_moment(moment: datetime) -> str:
    return type(moment).__name__


@pgqueue.task(queue="mail")
def charge(order: int) -> None:
    Receipt.objects.create(order=order, by="pgqueue")


@pgqueue.task
def charge_once(order: int) -> None:
    with transaction.atomic():
        Receipt.objects.create(order=order, by="complete")
        pgqueue.current_job().complete(connection)


@pgqueue.task
def break_transaction() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select nothing from nowhere")


def plain(order: int) -> None:
    Receipt.objects.create(order=order, by="plain")
