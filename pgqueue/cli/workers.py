"""`pgqueue workers`: who is at work; ask one to be quiet, to go on, to stop, or to leave at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.acting import workers as steering
from pgqueue.acting.workers import Wish
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.numbers import number
from pgqueue.cli.options import Dsn, Json, listing, new_group, seconds_option
from pgqueue.cli.output import Columns, print_list
from pgqueue.cli.telling import tell, telling
from pgqueue.cli.worker_dump import print_dump, told_by
from pgqueue.cli.worker_page import print_verbose, print_worker
from pgqueue.errors import UsageError
from pgqueue.store import execute, worker_reports, workers
from pgqueue.store.looking import LONGER, look
from pgqueue.store.queues import MOST_COUNTED
from pgqueue.store.workers import Held, WorkerRow

if TYPE_CHECKING:
    import psycopg

COLUMNS: Columns[WorkerRow] = {
    "WORKER": lambda row: row.id,
    "HOST": lambda row: row.host,
    "PID": lambda row: row.pid,
    "QUEUES": lambda row: "all" if row.queues is None else row.queues,
    "EXECUTOR": lambda row: row.executor,
    "SLOTS": lambda row: row.concurrency,
    "RUNNING": lambda row: number(row, "running"),
    "AHEAD": lambda row: number(row, "ahead") or None,
    "STARTED": lambda row: row.started_at,
    "LEASE": lambda row: "alive" if row.alive else "expired",
    "ASKED": lambda row: row.asked,
}
NONE = "No worker runs; start one: `pgqueue worker -A your.tasks`."
# A message that names all of a hundred workers helps nobody.
MOST_NAMED = 10

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="The workers' ids, or their first digits.")]


def _workers(dsn: Dsn = None) -> None:
    """Look at workers; ask one to be quiet, to go on, to stop, or to leave at once."""


group = new_group(_workers)


@group.command("list")
@listing
def list_workers(
    dsn: Dsn = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="With what each says of itself.")] = False,
    as_json: Json = False,
) -> None:
    """List the workers, oldest first, with the jobs that each runs and holds ahead, and what it was asked for.

    With -v also what each said of itself with its last heartbeat: memory, rate, release, and how it gets on.
    """
    with connected(dsn) as conn:
        there = listed(conn)
        told = execute(conn, worker_reports.reports()) if verbose else {}
    if verbose:
        print_verbose(there, told, as_json=as_json, empty=NONE)
    else:
        print_list(there, COLUMNS, as_json=as_json, empty=NONE)


@group.command()
def show(
    worker: Annotated[str, typer.Argument(metavar="ID", help="The worker's id, or its first digits.")],
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Show one worker: its lease, what it said of itself with its last heartbeat, and the jobs that it ran then."""
    with connected(dsn) as conn:
        there = listed(conn)
        found = _only(worker, there)
        told = execute(conn, worker_reports.reports())
        if found is None:
            say_error(f"no worker {worker}; {_named(there)}")
            raise typer.Exit(Exit.NOT_FOUND)
        print_worker(conn, found, told.get(found.id), as_json=as_json)


@group.command()
def dump(
    worker: Annotated[str, typer.Argument(metavar="ID", help="The worker's id, or its first digits.")],
    timeout: Annotated[float, seconds_option("--timeout", "Wait so long for its answer; else 15s.")] = 15.0,
    threads: Annotated[bool, typer.Option("--threads", help="And where its own threads are.")] = False,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Ask a worker where its jobs are in their code, and print the stack of each. It goes on meanwhile.

    Exit code 1 if it does not answer.
    """
    with connected(dsn) as conn:
        there = execute(conn, workers.rows())
        found = _only(worker, there)
        if found is None:
            say_error(f"no worker {worker}; {_named(there)}")
            raise typer.Exit(Exit.NOT_FOUND)
        print_dump(found, told_by(conn, found, timeout), as_json=as_json, threads=threads)


def listed(
    conn: psycopg.Connection[Any], found: Held | None = None, *, tell: Callable[[str], None] = say
) -> list[WorkerRow]:
    """All workers with what they hold, which is looked for unless it was found already; `tell` if it was not."""
    there = execute(conn, workers.rows())
    held = found or look(conn, lambda conn: execute(conn, workers.holders(MOST_COUNTED)), LONGER)
    if held is None:
        tell("the jobs could not be looked at in time; RUNNING is not known")
        return there
    return workers.holding(there, held[0], partial=held[1])


@group.command()
@telling
def quiet(ids: Ids, reason: Reason = None, dsn: Dsn = None) -> None:
    """Ask workers to claim no more; what runs goes on, until `resume`."""
    _ask(dsn, ids, "quiet", reason, "is asked to be quiet")


@group.command()
@telling
def resume(ids: Ids, reason: Reason = None, dsn: Dsn = None) -> None:
    """Let quiet workers claim again."""
    _ask(dsn, ids, "resume", reason, "may go on")


@group.command()
@telling
def stop(ids: Ids, reason: Reason = None, dsn: Dsn = None) -> None:
    """Ask workers to stop as on TERM: running jobs may finish, the rest is given back. They exit with 0."""
    _ask(dsn, ids, "stop", reason, "is asked to stop")


@group.command()
@telling
def evict(ids: Ids, reason: Reason = None, dsn: Dsn = None) -> None:
    """End the leases of workers now: others may take their jobs at once. One that hears of it kills them, exit 75."""
    _ask(dsn, ids, "evict", reason, "is evicted; its jobs are free for others")


def _ask(
    dsn: str | None,
    ids: list[str],
    what: Wish,
    reason: str | None,
    done: str,
) -> None:
    with connected(dsn) as conn:
        there = execute(conn, workers.rows())
        found = [_only(given, there) for given in ids]
        missing = [given for given, row in zip(ids, found, strict=True) if row is None]
        for row in filter(None, found):
            if not steering.ask(conn, actor(reason), row, what):
                missing.append(str(row.id))
                continue
            tell(f"{row.id} {done}", worker=row.id, asked=what)
            if not row.alive and what != "evict":
                say(f"the lease of {row.id} has expired; it may not hear of it any more")
    for given in missing:
        say_error(f"no worker {given}; {_named(there)}")
    if missing:
        raise typer.Exit(Exit.NOT_FOUND)


def _only(given: str, there: Sequence[WorkerRow]) -> WorkerRow | None:
    """The worker with this id, or the only one whose id begins like this."""
    if not given.isdigit():
        raise UsageError(f"a worker's id is a number, or its first digits, got {given!r}; {_named(there)}")
    meant = [row for row in there if str(row.id) == given] or [row for row in there if str(row.id).startswith(given)]
    if len(meant) > 1:
        raise UsageError(f"{given} begins the ids of {len(meant)} workers; {_named(meant)}")
    return meant[0] if meant else None


def _named(rows: Sequence[WorkerRow]) -> str:
    if not rows:
        return "no worker runs"
    shown = ", ".join(f"{row.id} ({row.host}, pid {row.pid})" for row in rows[:MOST_NAMED])
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    return f"there {'is' if len(rows) == 1 else 'are'} {shown}{more}"
