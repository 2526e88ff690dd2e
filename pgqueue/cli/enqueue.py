"""`pgqueue enqueue`: one job, from the shell."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from pgqueue import signing
from pgqueue.cli.apps import load_apps
from pgqueue.cli.completing import task_names
from pgqueue.cli.database import connected
from pgqueue.cli.doubts import doubt_about
from pgqueue.cli.errors import say
from pgqueue.cli.job_options import (
    Cost,
    Delay,
    InQueue,
    Label,
    LimitKey,
    MaxAttempts,
    MaxWait,
    Notify,
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
from pgqueue.cli.options import App, Dsn
from pgqueue.cli.telling import tell, telling
from pgqueue.cli.values import arguments, labels, moment
from pgqueue.enqueued import Enqueued
from pgqueue.errors import DatabaseUnreachable, PgqueueError, UsageError
from pgqueue.ids import new_job_id
from pgqueue.job import DEFAULT_QUEUE, Args, NewJob
from pgqueue.routes import routed
from pgqueue.sending import send_one
from pgqueue.store import enqueueing, execute
from pgqueue.store.asking import ask
from pgqueue.store.diagnosis import diagnosed
from pgqueue.store.unknown import LiveTargets, live_targets
from pgqueue.tasks import Modules, Refused, Unknown, find_task, target_of
from pgqueue.tasks.addressing import named

if TYPE_CHECKING:
    import psycopg


@telling
def enqueue(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", autocompletion=task_names, help="The task, as module:function.")
    ],
    args: Annotated[str | None, typer.Argument(metavar="ARGS", help="JSON: '[1, 2]' or '{\"a\": 1}'.")] = None,
    app: App = [],  # noqa: B006, typer copies it
    dsn: Dsn = None,
    queue: InQueue = None,
    priority: Priority = None,
    delay: Delay = None,
    at: Annotated[
        datetime | None,
        typer.Option("--at", metavar="MOMENT", parser=moment, help="Not before; ISO 8601, local if without zone."),
    ] = None,
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
    notify: Notify = None,
    job_id: Annotated[UUID | None, typer.Option("--job-id", metavar="ID", help="Its id: repeating adds none.")] = None,
) -> None:
    """Enqueue one job, and print its id.

    Times read like 90, 90s, 5m, 1h30m, 2d. With --app the options of the task itself (its queue, say) hold where none
    are given here, and a target or arguments that do not fit are refused. Without it a target is taken as it is, and
    said to be in doubt if no live worker knows it.
    """
    # Chosen here, so that the message about a broken connection can name it.
    chosen = job_id or new_job_id()
    values = arguments(args)
    if app:
        _refuse_what_cannot_run(target, values, load_apps(app))
    new = NewJob(
        target,
        values,
        queue=queue,
        priority=priority,
        delay=delay,
        run_at=at,
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
        notify=None if notify is None else notify.value,
        job_id=chosen,
    )
    # Without one nothing is known of the task, whatever this process has imported.
    new = named(new, {}) if app else _as_it_is(new)
    chosen_queue = new.queue or DEFAULT_QUEUE
    found, live = _enqueued(dsn, new)
    tell(str(found.id), id=found.id, created=found.created, replaced=found.replaced, queue=chosen_queue)
    if found.replaced:
        say(f"job {found.id} was waiting already; it has these arguments now")
    elif not found.created:
        say(f"job {found.id} was there already; nothing was added")
    elif (live or not app) and live is not None and (doubt := doubt_about(new.name, chosen_queue, live)):
        say(doubt)
    elif not app and sys.stderr.isatty():
        say("taken as it is; with -A MODULE the task's own options hold, and its arguments are checked")


def _as_it_is(new: NewJob) -> NewJob:
    name = target_of(new.target)
    queue = new.queue or routed(name)
    return replace(new, target=name, queue=queue)


def _refuse_what_cannot_run(target: str, values: Args, modules: Modules) -> None:
    """Raise UsageError for a target that a worker with this app would not know, or that cannot be called so."""
    try:
        task = find_task(target, modules)
    except (Refused, Unknown) as error:
        raise UsageError(str(error)) from None
    if isinstance(values, Mapping):
        task.job(**values)
    else:
        task.job(*(values or ()))


def _enqueued(dsn: str | None, new: NewJob) -> tuple[Enqueued, list[LiveTargets] | None]:
    with connected(dsn) as conn:
        try:
            with diagnosed():
                found = ask(conn, enqueueing.enqueue(new)) if signing.signer() is None else send_one(conn, new)
        except DatabaseUnreachable as error:
            # The COMMIT may have gone through: only the same id makes it safe to repeat.
            raise DatabaseUnreachable(f"{error}, with --job-id {new.job_id}, and it exists once") from error
        return found, _live_targets(conn)


def _live_targets(conn: psycopg.Connection[Any]) -> list[LiveTargets] | None:
    """What workers know; None if this role may not look: the job is there all the same."""
    try:
        with diagnosed():
            return execute(conn, live_targets())
    except PgqueueError:
        return None
