"""`pgqueue status`: the queues, how full they are and how they get on, and who works on them."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.cli import workers as workers_command
from pgqueue.cli.database import connected, named_dsns
from pgqueue.cli.errors import Exit
from pgqueue.cli.options import DsnFile, Dsns, Json, duration_option
from pgqueue.cli.status_alarms import Alarms, limits_of
from pgqueue.cli.status_page import FULLEST, MOST_UNKNOWN, Snapshot, print_status
from pgqueue.cli.status_several import alarms_told, code_of, print_summaries
from pgqueue.cli.values import seconds
from pgqueue.each_database import ask_each, on_connection
from pgqueue.store import (
    alerts,
    causes,
    execute,
    manual,
    queues,
    rates,
    reports,
    schema,
    unknown,
    workers,
    workflow_reading,
)
from pgqueue.store.looking import LONGER, look
from pgqueue.store.queues import QueueStats
from pgqueue.store.workers import Held
from pgqueue.summaries import summary

if TYPE_CHECKING:
    import psycopg

# A cause counts as new for so long, and so many are told.
NEW_WITHIN, MOST_NEW = timedelta(minutes=10), 3


def status(
    dsn: Dsns = [],  # noqa: B006, typer copies it
    dsn_file: DsnFile = None,
    as_json: Json = False,
    interval: Annotated[
        float | None,
        typer.Option("--interval", "-i", metavar="SECS", parser=seconds, help="Look again every so often."),
    ] = None,
    wide: Annotated[bool, typer.Option("--wide", help="Show all columns, however narrow the terminal.")] = False,
    max_age: Annotated[
        timedelta | None, duration_option("--max-age", "Alarm: a job has been ready for longer than this.")
    ] = None,
    max_dead: Annotated[
        int | None, typer.Option("--max-dead", metavar="N", min=0, help="Alarm: there are more dead jobs.")
    ] = None,
    max_depth: Annotated[
        list[str] | None,
        typer.Option("--max-depth", metavar="[QUEUE=]N", help="Alarm: more jobs of a queue are ready; repeatable."),
    ] = None,
    need_workers: Annotated[
        bool, typer.Option("--need-workers", help="Alarm: no worker is alive, or none serves a queue with ready jobs.")
    ] = False,
) -> None:
    """Show the queues with their jobs, rates and times, and the workers. Counts some 20,000 jobs, then estimates.

    IN/MIN and OUT/MIN are of the last 5 minutes, WAIT and RUN of the last 15. With an alarm option it prints one line
    that says what is wrong, and exits with 1 if anything is. Of several databases it shows one line each; one that does
    not answer within five seconds is said, and keeps none of the others waiting.
    """
    alarms = Alarms(max_age, max_dead, limits_of(max_depth or []), need_workers)
    named = named_dsns(dsn, dsn_file)
    try:
        if len(named) > 1:
            raise typer.Exit(_status_of_several(named, alarms, as_json=as_json, wide=wide, interval=interval))
        with connected(named[0] if named else None) as conn:
            found = _snapshot(conn)
            if alarms.wanted:
                raise typer.Exit(Exit.FAILED if alarms.told(found, as_json=as_json) else Exit.FINE)
            print_status(found, as_json=as_json, wide=wide, again=False)
            while interval is not None:
                time.sleep(interval)
                print_status(_snapshot(conn), as_json=as_json, wide=wide, again=True)
    except KeyboardInterrupt:
        raise typer.Exit(Exit.FINE if interval is not None else Exit.FAILED) from None


def _status_of_several(dsns: list[str], alarms: Alarms, *, as_json: bool, wide: bool, interval: float | None) -> int:
    if alarms.wanted:
        told = ask_each(dsns, on_connection(_snapshot))
        return Exit.FAILED if alarms_told(alarms, told, as_json=as_json) else Exit.FINE
    found = ask_each(dsns, on_connection(summary))
    print_summaries(found, as_json=as_json, wide=wide, again=False)
    while interval is not None:
        time.sleep(interval)
        found = ask_each(dsns, on_connection(summary))
        print_summaries(found, as_json=as_json, wide=wide, again=True)
    return code_of(found)


def _snapshot(conn: psycopg.Connection[Any]) -> Snapshot:
    rows, held = look(conn, queues_of, LONGER) or (None, None)
    return Snapshot(
        database=conn.info.dbname,
        host=conn.info.host,
        at=execute(conn, reports.now()),
        postgresql=execute(conn, reports.server_version()),
        revision=execute(conn, schema.revision()),
        queues=rows,
        all_queues=held is not None,
        rates=look(conn, lambda conn: execute(conn, rates.rates()), LONGER) or {},
        estimates=execute(conn, reports.estimates()) if rows is None else None,
        workers=workers_command.listed(conn, held) if rows is not None else execute(conn, workers.rows()),
        unknown=look(conn, lambda conn: execute(conn, unknown.count_parked(MOST_UNKNOWN)), LONGER),
        manual=look(conn, lambda conn: execute(conn, manual.waiting())),
        workflows_failed=look(conn, lambda conn: execute(conn, workflow_reading.failed())),
        new_causes=look(conn, lambda conn: execute(conn, causes.new(NEW_WITHIN, MOST_NEW))) or [],
        alerts=look(conn, lambda conn: execute(conn, alerts.listed())) or [],
    )


def queues_of(conn: psycopg.Connection[Any]) -> tuple[list[QueueStats], Held | None]:
    """All queues, and what workers hold of them; or the fullest alone, where there are too many to look at."""
    if len(execute(conn, queues.behind("", FULLEST + 1))) <= FULLEST:
        depths = execute(conn, queues.depths())
        return depths.queues, (depths.held, depths.partial)
    found = execute(conn, queues.depths(execute(conn, queues.fullest(FULLEST)))).queues
    return sorted(found, key=lambda row: (row.ready, row.running, row.dead), reverse=True), None
