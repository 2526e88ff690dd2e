"""The command `pgqueue`: its groups, and the one way in."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

from pgqueue.cli import (
    alert_channels,
    alert_rules,
    alerts,
    at,
    audit,
    bench,
    causes,
    dashboard,
    db,
    dead,
    demo,
    doctor,
    enqueue,
    events,
    explain,
    exporter,
    feed,
    feeds,
    indexes,
    jobs,
    limits,
    migrate,
    operations,
    queue_settings,
    queues,
    routes,
    schedules,
    status,
    tasks,
    verify,
    whatif,
    worker,
    workers,
)
from pgqueue.cli.errors import report
from pgqueue.cli.options import Dsn, new_group
from pgqueue.cli.secrets import hide_secrets
from pgqueue.cli.telling import telling
from pgqueue.cli.top import command as top
from pgqueue.errors import PgqueueError
from pgqueue.process_end import end_process, exit_code_of
from pgqueue.version import __version__


def run() -> NoReturn:
    """Be the whole of a process: main(), and an end in time, whatever jobs have left running."""
    try:
        main()
    except SystemExit as end:
        end_process(exit_code_of(end))
    except Exception:
        sys.excepthook(*sys.exc_info())
        end_process(1)
    end_process(0)


def main() -> None:
    """Run the command that the process was started with, and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        # Names and errors come from everywhere; a terminal that cannot show a letter must not end the command.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(hide_secrets())
    except PgqueueError as error:
        sys.exit(report(error))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pgqueue {__version__}")
        raise typer.Exit


def _pgqueue(
    dsn: Dsn = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A transactional job queue that lives in the PostgreSQL you already run."""


app = new_group(_pgqueue, completion=True)
app.command("migrate")(migrate.migrate)
app.command("worker")(worker.worker)
app.command("enqueue")(telling(enqueue.enqueue))
app.command("feed")(feed.feed)
app.command("status")(status.status)
app.command("at")(at.at)
app.command("top")(top.top)
app.command("events")(events.events)
app.command("exporter")(exporter.exporter)
app.add_typer(jobs.group, name="jobs")
jobs.group.command("explain")(explain.explain_job)
app.add_typer(dead.group, name="dead")
app.add_typer(causes.group, name="causes")
app.add_typer(queues.group, name="queues")
queues.group.command("set")(telling(queue_settings.set_settings))
queues.group.command("unset")(telling(queue_settings.unset))
queues.group.command("show")(queue_settings.show)
queues.group.command("explain")(explain.explain_queue)
queues.group.command("whatif")(whatif.whatif)
app.add_typer(limits.group, name="limits")
app.add_typer(routes.group, name="routes")
app.add_typer(workers.group, name="workers")
app.add_typer(schedules.group, name="schedules")
app.add_typer(tasks.group, name="tasks")
app.add_typer(feeds.group, name="feeds")
app.add_typer(alerts.group, name="alerts")
alerts.group.add_typer(alert_channels.group, name="channels")
alerts.group.add_typer(alert_rules.group, name="rules")
app.add_typer(operations.group, name="operations")
app.add_typer(audit.group, name="audit")
app.add_typer(indexes.group, name="index")
app.add_typer(db.group, name="db")
app.command("dashboard")(dashboard.dashboard)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("verify")(verify.verify)
app.command("bench")(bench.bench)
