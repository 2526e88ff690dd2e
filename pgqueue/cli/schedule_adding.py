"""`pgqueue schedules add`: a schedule, from the shell."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from pgqueue.cli.acting import Reason, acting
from pgqueue.cli.apps import load_apps
from pgqueue.cli.database import connected
from pgqueue.cli.job_options import (
    Cost,
    InQueue,
    Label,
    LimitKey,
    MaxAttempts,
    MaxWait,
    OnConflict,
    Priority,
    StoreResult,
    Timeout,
    Ttl,
    Unique,
    UniqueFor,
    UniqueKey,
    UniqueUntil,
)
from pgqueue.cli.options import App, Dsn, choice_option, duration_option
from pgqueue.cli.telling import tell
from pgqueue.cli.values import arguments, labels
from pgqueue.schedules import schedule


class CatchingUp(StrEnum):
    """Which of the ticks fire that nobody could fire in time."""

    SKIP = "skip"
    LAST = "last"
    ALL = "all"


class Overlapping(StrEnum):
    """Whether a tick fires while the job of the one before lives."""

    ALLOW = "allow"
    SKIP = "skip"


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The schedule's name.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The task, as module:function.")],
    args: Annotated[str | None, typer.Argument(metavar="ARGS", help="JSON: '[1, 2]' or '{\"a\": 1}'.")] = None,
    app: App = [],  # noqa: B006, typer copies it
    dsn: Dsn = None,
    cron: Annotated[
        str | None, typer.Option("--cron", metavar="RULE", help="5 fields, or 6 with seconds last; @daily ...")
    ] = None,
    every: Annotated[timedelta | None, duration_option("--every", "Again after so long.")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", help="The zone of --cron; else UTC.")
    ] = None,
    jitter: Annotated[timedelta | None, duration_option("--jitter", "Put each job off by up to this.")] = None,
    catch_up: Annotated[
        CatchingUp | None, choice_option("--catch-up", of=CatchingUp, help="Of what was missed; else last.")
    ] = None,
    cap: Annotated[int | None, typer.Option("--cap", metavar="N", help="Of --catch-up all, at most so many.")] = None,
    grace: Annotated[timedelta | None, duration_option("--grace", "Later than this is missed; else 1m.")] = None,
    overlap: Annotated[
        Overlapping | None,
        choice_option("--overlap", of=Overlapping, help="While the job before lives; else allow."),
    ] = None,
    queue: InQueue = None,
    priority: Priority = None,
    ttl: Ttl = None,
    timeout: Timeout = None,
    max_attempts: MaxAttempts = None,
    unique_key: UniqueKey = None,
    unique: Unique = None,
    unique_until: UniqueUntil = None,
    unique_for: UniqueFor = None,
    on_conflict: OnConflict = None,
    max_wait: MaxWait = None,
    limit_key: LimitKey = None,
    cost: Cost = None,
    store_result: StoreResult = False,
    label: Label = None,
    reason: Reason = None,
) -> None:
    """Make a schedule, or replace the one of that name. With --app the options of the task itself hold, too.

    A new rule begins now. One that is misspelt is refused, with the nearest right one.
    """
    if app:
        load_apps(app)
    with connected(dsn) as conn, acting(conn, "schedules add", on=name, reason=reason):
        is_new = schedule(
            conn,
            name,
            target,
            arguments(args),
            cron=cron,
            every=every,
            timezone=timezone,
            jitter=jitter,
            catch_up=None if catch_up is None else catch_up.value,
            cap=cap,
            grace=grace,
            overlap=None if overlap is None else overlap.value,
            queue=queue,
            priority=priority,
            ttl=ttl,
            timeout=timeout,
            max_attempts=max_attempts,
            unique_key=unique_key,
            unique=None if unique is None else "args",
            unique_until=None if unique_until is None else unique_until.value,
            unique_for=unique_for,
            on_conflict=None if on_conflict is None else on_conflict.value,
            max_wait=max_wait,
            limit_key=limit_key,
            cost=cost,
            store_result=store_result or None,
            labels=labels(label or []),
        )
    tell(f"{name} {'is scheduled' if is_new else 'is changed'}", schedule=name, created=is_new)
