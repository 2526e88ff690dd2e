"""Tasks that handle what nobody is to see."""

from __future__ import annotations

from typing import Any

import psycopg

import pgqueue
from pgqueue.durable import Durable


@pgqueue.task(store_result=True, max_attempts=1)
def charge(who: str, amount: int = 1) -> dict[str, Any]:
    job = pgqueue.current_job()
    job.log("charging %s", who)
    job.progress(1, 2, f"with {who}")
    with job.once(f"charge:{job.id}") as first:
        if first:
            first.value = {"who": who}
    return {"who": who, "amount": amount}


@pgqueue.task(store_result=True, max_attempts=1)
async def charge_async(who: str) -> str:
    pgqueue.current_job().log("charging %s", who)
    return who


@pgqueue.task(store_result=True, max_attempts=1, transactional=True)
def charge_with(conn: psycopg.Connection[Any], who: str) -> str:
    return who


@pgqueue.task(max_attempts=2, retry=pgqueue.Backoff(first=0.01, cap=0.01))
def fail(who: str) -> None:
    raise ValueError(f"who {who} was declined")


@pgqueue.task(store_result=True, max_attempts=3, retry=pgqueue.Backoff(first=0.01, cap=0.01))
def resume(who: str) -> Any:
    job = pgqueue.current_job()
    if job.attempt == 1:
        job.checkpoint({"who": who})
        raise RuntimeError("again")
    return job.resumed_from


@pgqueue.task(store_result=True)
def told(ended: pgqueue.EndedJob, note: str = "") -> dict[str, Any]:
    return {"result": ended.result, "error": ended.error, "note": note}


@pgqueue.task(store_result=True)
def add_up(parts: list[Any], note: str = "") -> dict[str, Any]:
    return {"parts": parts, "note": note}


@pgqueue.task(store_result=True)
def gather(note: str) -> list[Any]:
    return [note, *pgqueue.current_job().gathered()]


@pgqueue.task(store_result=True)
def bring(who: str) -> None:
    pgqueue.current_job().enqueue("tests.encryption.tasks:charge", {"who": who})


@pgqueue.task(encrypted=True, store_result=True, max_attempts=1)
def marked(who: str) -> str:
    return who


@pgqueue.task(encrypted=False, store_result=True, max_attempts=1)
def open_task(text: str) -> str:
    return text


@pgqueue.workflow(store_result=True)
def order(ctx: Durable, who: str) -> Any:
    held = ctx.step("hold", hold, who)
    ctx.on_rollback(release, who)
    answer = ctx.wait_for("paid")
    child = ctx.spawn(charge.job(who))
    (paid,) = ctx.join(child)
    return [held, answer, paid]


def hold(who: str) -> str:
    return f"held {who}"


def release(who: str) -> None:
    pass


@pgqueue.task(batch=10, store_result=True)
def charge_all(batch: pgqueue.Batch[Any]) -> dict[Any, Any]:
    return {item.id: {"who": item.args[0]} for item in batch}
