"""`pgqueue queues`: how full they are; stop and resume claims from one, and whether workers are told of its jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.acting import queues as steering
from pgqueue.cli.acting import Reason, acting, actor
from pgqueue.cli.completing import queue_names
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_list import BUSY
from pgqueue.cli.numbers import number
from pgqueue.cli.options import Dsn, Json, Most, duration_option, listing, new_group
from pgqueue.cli.output import Columns, print_list, rounded
from pgqueue.cli.queue_limit import limit
from pgqueue.cli.telling import tell, telling
from pgqueue.cli.values import one_of
from pgqueue.job import JobOptions
from pgqueue.options import check_duration
from pgqueue.printable import in_one_line
from pgqueue.store import execute, queues
from pgqueue.store.looking import LONGER, look
from pgqueue.store.queues import QueueStats, Settings

if TYPE_CHECKING:
    import psycopg

COLUMNS: Columns[QueueStats] = {
    "QUEUE": lambda row: row.queue,
    "READY": lambda row: number(row, "ready"),
    "SCHEDULED": lambda row: number(row, "scheduled"),
    "RUNNING": lambda row: number(row, "running"),
    "AHEAD": lambda row: number(row, "ahead") or None,
    "RETRYING": lambda row: number(row, "retrying"),
    "DEAD": lambda row: number(row, "dead"),
    "OLDEST READY": lambda row: row.oldest_ready_age,
    "": lambda row: ", ".join(filter(None, (pause_in_words(row), settings_in_words(row)))) or None,
}
# A message that names all of ten thousand queues helps nobody.
MOST_NAMED = 10
Names = Annotated[list[str], typer.Argument(metavar="QUEUE...", autocompletion=queue_names, help="The queues' names.")]


def _queues(dsn: Dsn = None) -> None:
    """Look at queues, pause and limit them, and say whether idle workers are told of their jobs."""


group = new_group(_queues)
group.command("limit")(telling(limit))


@group.command("list")
@listing
def list_queues(
    dsn: Dsn = None,
    limit: Most = 200,
    after: Annotated[str, typer.Option("--after", metavar="QUEUE", help="Only behind this name: the next page.")] = "",
    as_json: Json = False,
) -> None:
    """List the queues with their jobs by state, by name. Counts some 20,000 jobs, and estimates where there are more.

    RUNNING are as many as their workers have slots, AHEAD those that were claimed ahead of a free one.
    """
    with connected(dsn) as conn:
        found = look(conn, lambda conn: _page(conn, after, limit), LONGER)
    if found is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    rows, more = found
    print_list(rows, COLUMNS, as_json=as_json, empty="No queue has a job.")
    if more:
        say(f"there are more; go on with --after {rows[-1].queue}")


def pause_in_words(row: QueueStats) -> str | None:
    """Whether a queue is paused, and until when."""
    if row.paused_until is None:
        return "paused" if row.paused else None
    return f"paused until {row.paused_until.astimezone():%Y-%m-%d %H:%M:%S}"


def settings_in_words(row: QueueStats | Settings) -> str:
    """What a queue says of its jobs; empty if it says nothing."""
    facts = {
        "timeout": None if row.timeout is None else rounded(timedelta(seconds=row.timeout)),
        "max-attempts": row.max_attempts,
        "priority": row.priority,
        "ageing": None if row.ageing is None else rounded(timedelta(seconds=row.ageing)),
        "allow": None if row.allow is None else in_one_line(" ".join(row.allow)),
    }
    return ", ".join(f"{fact} {value}" for fact, value in facts.items() if value is not None)


def _page(conn: psycopg.Connection[Any], after: str, limit: int) -> tuple[list[QueueStats], bool]:
    """The queues behind a name, and whether there are more than these."""
    names = execute(conn, queues.behind(after, limit + 1))
    return execute(conn, queues.depths(names[:limit])).queues, len(names) > limit


@group.command()
@telling
def pause(
    names: Names,
    dsn: Dsn = None,
    lasting: Annotated[timedelta | None, duration_option("--for", "Go on by itself after so long.")] = None,
    reason: Reason = None,
) -> None:
    """Stop claims from these queues; what runs goes on, and jobs may still be enqueued."""
    check_duration("--for", lasting, zero=False, infinite=False)
    done = f"is paused{'' if lasting is None else f' for {lasting}'}"
    _set(dsn, names, lambda conn, name: steering.pause(conn, actor(reason), name, lasting), done)


@group.command()
@telling
def resume(names: Names, reason: Reason = None, dsn: Dsn = None) -> None:
    """Go on with claims from these queues."""
    _set(dsn, names, lambda conn, name: steering.resume(conn, actor(reason), name), "goes on")


class Telling(StrEnum):
    """Whether idle workers are told."""

    IDLE = "idle"
    OFF = "off"


@group.command()
@telling
def notify(
    how: Annotated[
        Telling, typer.Argument(metavar="idle|off", parser=one_of(Telling), help="Tell idle workers, or nobody.")
    ],
    names: Names,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Tell idle workers of jobs in these queues, or let them find out by polling.

    Off is for producers that prepare their transactions (two-phase commit), which a NOTIFY forbids, and for bulk.
    """
    check_queues(names)
    with connected(dsn) as conn:
        for name in names:
            with acting(conn, f"queues notify {how}", on=name, reason=reason):
                execute(conn, queues.set_notify(name, how.value))
            said = "idle workers are told" if how is Telling.IDLE else "workers find its jobs by polling"
            tell(f"{name}: {said}", queue=name, notify=how.value)


def check_queues(names: Sequence[str]) -> None:
    """Raise OptionError for what no queue can be named."""
    for name in names:
        JobOptions(queue=name)


def _set(dsn: str | None, names: list[str], change: Callable[[psycopg.Connection[Any], str], None], done: str) -> None:
    check_queues(names)
    with connected(dsn) as conn:
        waiting = execute(conn, queues.names())
        for name in names:
            change(conn, name)
            tell(f"{name} {done}", queue=name)
            if waiting and name not in waiting:
                more = f" and {len(waiting) - MOST_NAMED:,} more" if len(waiting) > MOST_NAMED else ""
                say(f"no job waits in {name}; jobs wait in {', '.join(waiting[:MOST_NAMED])}{more}")
