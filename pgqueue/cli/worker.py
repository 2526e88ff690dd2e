"""`pgqueue worker`: claim jobs and run them."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pgqueue.cli.apps import locate_modules
from pgqueue.cli.database import named_dsns, served
from pgqueue.cli.options import (
    App,
    DsnFile,
    Dsns,
    Include,
    JobDsn,
    JobRole,
    Middleware,
    TasksOnly,
    choice_option,
    seconds_option,
    seconds_or_off_option,
)
from pgqueue.cli.queue_words import queue_names, queue_weights
from pgqueue.context import at_home_in
from pgqueue.store.diagnosis import diagnosed
from pgqueue.tasks import Modules

MEGABYTE = 1024 * 1024
# Objects made before a search of the youngest, and so many of each search before one of the next age.
COLLECTION = 10_000, 20, 20
# A busy event loop keeps the interpreter for Python's 5 ms at a time, and the claim loop waits for it at each answer of
# the database: a tenth of what a drain costs. With threads it is the other way round.
SWITCH_INTERVAL = 0.001


class Kind(StrEnum):
    """The executors."""

    PROCESS = "process"
    THREAD = "thread"
    ASYNC = "async"


class Level(StrEnum):
    """From when on a log line is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Format(StrEnum):
    """How a log line is written."""

    TEXT = "text"
    JSON = "json"


def worker(
    app: App = [],  # noqa: B006, typer copies it
    include: Include = [],  # noqa: B006, typer copies it
    tasks_only: TasksOnly = False,
    dsn: Dsns = [],  # noqa: B006, typer copies it
    dsn_file: DsnFile = None,
    queues: Annotated[
        list[str] | None,
        typer.Option(
            "--queues",
            "-Q",
            metavar="A,B",
            help="Serve these alone; else all. Also globs, email.*, and weights: critical=3,default=1.",
        ),
    ] = None,
    exclude: Annotated[
        list[str], typer.Option("--exclude", "-X", metavar="A,B", help="Leave these queues out, or globs of them.")
    ] = [],  # noqa: B006, typer copies it
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", "-c", metavar="N", min=1, help="Jobs at a time; else one a CPU.")
    ] = None,
    executor: Annotated[
        Kind, choice_option("--executor", "-x", of=Kind, help="What a job runs in; else process.")
    ] = Kind.PROCESS,
    burst: Annotated[bool, typer.Option("--burst", help="End when nothing is due.")] = False,
    poll: Annotated[float, seconds_option("--poll", "Ask at least so often, told or not; else 5s.")] = 5.0,
    ageing: Annotated[
        float, seconds_or_off_option("--ageing", "How much waiting a level of priority is worth, or off; else 10m.")
    ] = 600.0,
    lease: Annotated[float, seconds_option("--lease", "How soon the jobs of a lost worker return; else 30s.")] = 30.0,
    shutdown_timeout: Annotated[
        float, seconds_option("--shutdown-timeout", "How long a stop waits for jobs; else 8s.")
    ] = 8.0,
    listen_dsn: Annotated[
        str | None,
        typer.Option(
            "--listen-dsn",
            metavar="DSN",
            envvar="PGQUEUE_LISTEN_DSN",
            show_envvar=False,
            help="Listen there, round a pooler that --dsn leads to.",
        ),
    ] = None,
    poll_only: Annotated[bool, typer.Option("--poll-only", help="Do not listen; ask every second.")] = False,
    max_jobs_per_child: Annotated[
        int | None, typer.Option("--max-jobs-per-child", metavar="N", min=1, help="Replace a child after so many.")
    ] = None,
    max_memory_per_child: Annotated[
        int | None,
        typer.Option("--max-memory-per-child", metavar="MB", min=1, help="Replace a child that holds more."),
    ] = None,
    infra_limit: Annotated[
        int, typer.Option("--infra-limit", metavar="N", min=1, help="Retire after so many infrastructure errors.")
    ] = 10,
    infra_minutes: Annotated[
        float, typer.Option("--infra-minutes", metavar="MINUTES", help="Within so many minutes.")
    ] = 5.0,
    keep_unknown: Annotated[
        float, seconds_option("--keep-unknown", "How long a job waits that no worker knows; else 7d.")
    ] = 604_800.0,
    health_port: Annotated[
        int | None,
        typer.Option("--health-port", metavar="PORT", min=1, max=65535, help="Answer /live and /ready over HTTP."),
    ] = None,
    health_host: Annotated[
        str, typer.Option("--health-host", metavar="HOST", help="The address to answer at; 0.0.0.0 for all.")
    ] = "127.0.0.1",
    heartbeat_url: Annotated[
        str | None,
        typer.Option(
            "--heartbeat-url",
            metavar="URL",
            envvar="PGQUEUE_HEARTBEAT_URL",
            show_envvar=False,
            help="Ask for it once a minute while ready: a dead man's switch.",
        ),
    ] = None,
    middleware: Middleware = [],  # noqa: B006, typer copies it
    store_logs: Annotated[
        Level | None, choice_option("--store-logs", of=Level, help="Keep what tasks log with their jobs, from then on.")
    ] = None,
    pass_dsn: Annotated[
        bool, typer.Option("--pass-dsn", help="Let children inherit PGQUEUE_DSN and PGPASSWORD.")
    ] = False,
    job_role: JobRole = None,
    job_dsn: JobDsn = None,
    require_signature: Annotated[
        bool, typer.Option("--require-signature", help="Run nothing but what is signed with a known key.")
    ] = False,
    signed_queues: Annotated[
        list[str],
        typer.Option("--signed-queues", metavar="A,B", help="Require that of these queues alone, or globs of them."),
    ] = [],  # noqa: B006, typer copies it
    log_level: Annotated[
        Level, choice_option("--log-level", of=Level, help="From when on a line is written.")
    ] = Level.INFO,
    log_format: Annotated[
        Format, choice_option("--log-format", of=Format, help="How a line is written.")
    ] = Format.TEXT,
) -> None:
    """Claim jobs and run them.

    Of several databases, each has its own lease, and they share the slots; a --dsn-file is read again when it changes.

    TERM, INT or HUP lets running jobs finish; a second TERM or INT ends them at once. TSTP makes it quiet, CONT go on;
    USR1 kills running jobs, TTIN writes what it is doing to the log.

    Exit codes: 0 stopped, 1 stopped by force, 2 wrong options, or the app cannot be imported, 3 no database, 75 retired
    (restart it), 78 no schema (stay down).
    """
    locate_modules(Modules(tuple(app), tuple(include)))
    served_queues = None if queues is None else queue_weights(queues)
    from pgqueue.worker.log import LogObserver
    from pgqueue.worker.worker import Worker

    _collect_less_often()
    if executor is Kind.ASYNC:
        sys.setswitchinterval(SWITCH_INTERVAL)
    with _home(dsn, dsn_file) as home, diagnosed():
        code = Worker(
            home if dsn_file is None else dsn,
            dsn_file=dsn_file,
            queues=served_queues,
            exclude=queue_names(exclude),
            concurrency=concurrency,
            executor=executor.value,
            app=app,
            include=include,
            tasks_only=tasks_only,
            middleware=middleware,
            burst=burst,
            poll=poll,
            lease=lease,
            shutdown_timeout=shutdown_timeout,
            listen_dsn=listen_dsn,
            poll_only=poll_only,
            max_jobs_per_child=max_jobs_per_child,
            max_memory_per_child=None if max_memory_per_child is None else max_memory_per_child * MEGABYTE,
            infra_limit=infra_limit,
            infra_minutes=infra_minutes,
            keep_unknown=keep_unknown,
            ageing=None if math.isinf(ageing) else ageing,
            health_host=health_host,
            health_port=health_port,
            heartbeat_url=heartbeat_url,
            store_logs=None if store_logs is None else store_logs.value,
            pass_dsn=pass_dsn,
            job_role=job_role,
            job_dsn=job_dsn,
            require_signature=require_signature or queue_names(signed_queues) or False,
            observers=[LogObserver(log_format.value, log_level.value)],
        ).run()
    raise typer.Exit(code)


@contextmanager
def _home(dsns: list[str], file: Path | None) -> Iterator[str | list[str]]:
    """What to serve: the one database, where this process is at home then, or several."""
    named = named_dsns(dsns, file)
    if len(named) > 1 or file is not None:
        yield named
    else:
        with served(named[0] if named else None) as address, at_home_in(address):
            yield address


def _collect_less_often() -> None:
    """Spare the collector the search of thousands of claims that all live: a tenth of what a drain costs.

    In this process alone, which is ours; who collects never, or more seldom still, has a reason.
    """
    if 0 < gc.get_threshold()[0] < COLLECTION[0]:
        gc.set_threshold(*COLLECTION)
