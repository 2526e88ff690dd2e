"""Tasks with hooks, which write what they were told into the table `told`."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import psycopg

from pgqueue import hooks
from pgqueue.context import home_database
from pgqueue.events import Begun, Finished
from pgqueue.outcome import Cancel
from pgqueue.retry import Fixed
from pgqueue.tasks import task

SOON = Fixed(0.05)


def write(hook: str, job: Any, said: str) -> None:
    dsn = home_database() or os.environ["TOLD_DSN"]
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("insert into told values (%s, %s, %s, %s)", [hook, str(job), said, os.getpid()])


def telling(name: str) -> Any:
    def tell(told: Finished | Begun) -> None:
        said = told.settlement if isinstance(told, Finished) else None
        write(name, told.claim.id, "" if said is None else f"{said.outcome} {said.error}")

    return tell


async def tell_later(told: Finished) -> None:
    await asyncio.sleep(0)
    write("async", told.claim.id, told.settlement.outcome)


ALL: dict[str, Any] = {name: telling(name) for name in hooks.OF_JOBS}


@task(retry=SOON, max_attempts=2, hooks=ALL)
def fail() -> None:
    raise ValueError("no paper")


@task(max_attempts=1, hooks=ALL)
def succeed() -> None:
    return None


@task(max_attempts=1, timeout=0.3, hooks=ALL)
async def hang() -> None:
    await asyncio.sleep(60)


@task(hooks=ALL)
def give_up() -> None:
    raise Cancel("no longer wanted")


@task(max_attempts=1, on_error=tell_later, on_dead=[ALL["on_dead"], tell_later])
def fail_briefly() -> None:
    raise ValueError


def raise_it(told: Finished) -> None:
    raise LookupError("the hook's own")


def exit_it(told: Finished) -> None:
    raise SystemExit(3)


@task(on_success=[raise_it, exit_it, ALL["on_success"]])
def succeed_under_bad_hooks() -> None:
    return None


def hang_it(told: Finished) -> None:
    time.sleep(600)


@task(on_success=hang_it)
def succeed_under_a_hanging_hook() -> None:
    return None


def die(told: Finished) -> None:
    os._exit(9)


@task(on_success=[die])
def succeed_under_a_deadly_hook() -> None:
    return None


@task
def plain() -> None:
    return None
