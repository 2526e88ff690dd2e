"""Tasks that bring others, and are followed by others."""

from __future__ import annotations

from typing import Any

import psycopg

import pgqueue
from pgqueue.context import current_job
from pgqueue.job import NewJob
from pgqueue.outcome import Bury, Cancel
from pgqueue.record import EndedJob
from pgqueue.tasks import task

HERE = "tests.worker.following_tasks"


@task
def child(number: int = 0) -> None:
    """Brought by the others."""


@task(store_result=True)
def clean_up(ended: EndedJob, why: str = "") -> list[Any]:
    return [type(ended).__name__, str(ended.id), ended.state.value, ended.reason, ended.error, ended.result, why]


@task(store_result=True)
def plain_clean_up(ended: Any) -> Any:
    return ended


def play(then: str) -> str:
    """End in the way that is asked for."""
    if then == "die":
        raise Bury("no")
    if then == "cancel":
        raise Cancel("not wanted")
    if then == "fail":
        raise ValueError("no luck")
    return "done"


@task(max_attempts=1)
def bring(then: str = "", number: int = 1) -> None:
    job = current_job()
    for each in range(number):
        job.enqueue(child, [each])
        job.effect(child, each)
    play(then)


@task(max_attempts=1)
async def bring_async(then: str = "") -> None:
    current_job().enqueue(child, [1])
    play(then)


@task(transactional=True, max_attempts=1)
def bring_in_transaction(conn: psycopg.Connection[Any], then: str = "") -> None:
    job = current_job()
    made = job.enqueue(child, [1])
    there = conn.execute("select count(*) from pgqueue.jobs where id = %s", [made.id]).fetchone()
    assert there == (1,)
    effect = job.effect(child, 2)
    assert conn.execute("select count(*) from pgqueue.jobs where id = %s", [effect.id]).fetchone() == (0,)
    play(then)


@task(transactional=True, max_attempts=1)
async def bring_in_transaction_async(conn: psycopg.AsyncConnection[Any], then: str = "") -> None:
    current_job().enqueue(child, [1])
    play(then)


@task(max_children=3, max_attempts=1)
def bring_too_many() -> None:
    for _ in range(4):
        current_job().enqueue(child)


@task(max_attempts=1)
def bring_itself() -> None:
    current_job().enqueue(bring_itself)


@task(max_attempts=1)
def bring_at_once(then: str = "") -> None:
    assert current_job().enqueue(child, [1], at="once").created
    play(then)


@task(max_attempts=1)
async def bring_at_once_async(then: str = "") -> None:
    assert (await current_job().enqueue(child, [1], at="once")).created
    play(then)


@task(max_attempts=1)
def complete_with(dsn: str) -> str:
    job = current_job()
    job.enqueue(child, [1])
    with psycopg.connect(dsn) as conn:
        job.complete(conn)
    try:
        job.enqueue(child, [2])
    except pgqueue.UsageError as error:
        return str(error)
    return ""


@task(
    max_attempts=1,
    store_result=True,
    on_success=[clean_up, NewJob(plain_clean_up, queue="later")],
    on_failure=NewJob(clean_up, {"why": "died"}),
    on_end=f"{HERE}:plain_clean_up",
)
def followed(then: str = "") -> str:
    return play(then)
