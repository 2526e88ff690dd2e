"""`pgqueue feed`: stream an iterator into the queue, and show how far it is."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer

from pgqueue.cli.apps import load_modules
from pgqueue.cli.database import served
from pgqueue.cli.errors import say
from pgqueue.cli.feed_screen import screen
from pgqueue.cli.job_options import Cost, Delay, InQueue, Label, LimitKey, MaxAttempts, Notify, Priority, Timeout, Ttl
from pgqueue.cli.options import Dsn, Json
from pgqueue.cli.output import print_json
from pgqueue.cli.values import labels
from pgqueue.errors import UsageError
from pgqueue.interrupt import interruptible
from pgqueue.store.diagnosis import diagnosed
from pgqueue.tasks import CallOptions, Modules, Refused, Unknown, find_task, target_of

INTERRUPTED = 130


def feed(
    source: Annotated[str, typer.Argument(metavar="ITERATOR", help="What yields the items, as module:name.")],
    to: Annotated[str, typer.Option("--to", metavar="TARGET", help="The task of its jobs, as module:function.")],
    dsn: Dsn = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The feed's name; else ITERATOR/TARGET.")
    ] = None,
    buffer: Annotated[
        int, typer.Option("--buffer", metavar="N", min=1, help="At most so many of its jobs have not ended.")
    ] = 10_000,
    batch: Annotated[int, typer.Option("--batch", metavar="N", min=1, help="Jobs in one transaction.")] = 1000,
    again: Annotated[bool, typer.Option("--again", help="Start over, also if it is finished.")] = False,
    total: Annotated[
        int | None, typer.Option("--total", metavar="N", min=1, help="How many items it has, for the progress bar.")
    ] = None,
    queue: InQueue = None,
    priority: Priority = None,
    delay: Delay = None,
    ttl: Ttl = None,
    timeout: Timeout = None,
    max_attempts: MaxAttempts = None,
    limit_key: LimitKey = None,
    cost: Cost = None,
    label: Label = None,
    notify: Notify = None,
    as_json: Json = False,
) -> None:
    """Enqueue a job for each item of an iterator, until it has come to its end.

    Whatever ends it before, the same command goes on where it was, and each item becomes one job. TERM, INT or HUP ends
    it after a batch. A bar on a terminal shows how far it is; elsewhere it is quiet.

    Exit codes: 0 finished, 1 the iterator failed or another process feeds it, 2 wrong options, or a module cannot be
    imported, 3 no database, 78 no schema, 130 interrupted.
    """
    from pgqueue.feeding import feed as feed_all
    from pgqueue.feeding.source import find_source

    load_modules(Modules(include=(source.partition(":")[0],)))
    found = find_source(source)
    _load_task(to)
    options: CallOptions = {
        "queue": queue,
        "priority": priority,
        "delay": delay,
        "ttl": ttl,
        "timeout": timeout,
        "max_attempts": max_attempts,
        "limit_key": limit_key,
        "cost": cost,
        "labels": labels(label or []),
        "notify": None if notify is None else notify.value,
    }
    with served(dsn) as address, diagnosed(), screen(total or found.total) as listener:
        try:
            with interruptible():
                fed = feed_all(
                    source,
                    to,
                    dsn=address,
                    name=name,
                    buffer=buffer,
                    batch=batch,
                    again=again,
                    on_progress=listener,
                    **options,
                )
        except KeyboardInterrupt:
            say("interrupted; what was enqueued stays, and the same command goes on from there")
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(fed)
    elif fed.already:
        typer.echo(f"feed {fed.name} was finished before: {fed.items:,} items; --again starts it over")
    else:
        typer.echo(f"feed {fed.name} is finished: {fed.fed:,} items now, {fed.items:,} in all")


def _load_task(to: str) -> None:
    """Import the task, so that its own options hold and arguments are checked; say so if there is none here."""
    module = target_of(to).partition(":")[0]
    try:
        known = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        known = False
    if not known:
        say(f"{to} is taken as it is: there is no module {module} here, so its own options do not hold")
        return
    modules = Modules(include=(module,))
    load_modules(modules)
    try:
        find_task(to, modules)
    except (Refused, Unknown) as error:
        raise UsageError(str(error)) from None
