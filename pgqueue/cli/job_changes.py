"""`pgqueue jobs bury|purge|priority|due-now|snooze|edit`: changes of jobs that wait or are dead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from pgqueue import client
from pgqueue.cli import bulk, job_moves
from pgqueue.cli.acting import Reason, acting, who
from pgqueue.cli.apps import load_apps
from pgqueue.cli.bulk import DryRun, Manner, Rate, Yes, is_query
from pgqueue.cli.database import connected
from pgqueue.cli.editor import edited
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.options import App, Dsn, JobId, duration_option
from pgqueue.cli.values import arguments, moment
from pgqueue.codec import encode_args
from pgqueue.errors import UsageError
from pgqueue.printable import as_json
from pgqueue.store import Statement, dead, execute, operations
from pgqueue.tasks import Refused, Unknown, find_task

if TYPE_CHECKING:
    import psycopg

Which = Annotated[
    list[str], typer.Argument(metavar="ID...|QUERY", help="The jobs' ids, or their first digits; or a query in quotes.")
]
_WAITING = ("scheduled", "ready", "retrying")


def bury(
    which: Which,
    reason: Reason = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    detach: bulk.Detach = False,
    dsn: Dsn = None,
) -> None:
    """Make jobs that wait dead at once, for a human to look at; `jobs retry` revives them."""
    how = Manner(rate=rate, dry_run=dry_run, yes=yes, detach=detach, reason=reason)
    with connected(dsn) as conn:
        if is_query(which):
            bulk.run(conn, "bury", which, how)
            return
        job_moves.move_each(
            conn, which, _move("jobs bury", lambda job: operations.bury(job, reason), reason, ("done",))
        )


def purge(
    which: Annotated[list[str], typer.Argument(metavar="QUERY", help="Which dead jobs, as a query in quotes.")],
    reason: Reason = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    detach: bulk.Detach = False,
    export: bulk.Export = None,
    dsn: Dsn = None,
) -> None:
    """Forget dead jobs for good. Their attempts stay in the history for its keeping time."""
    if not is_query(which):
        which = [f"id:{','.join(which)}"]
    how = Manner(rate=rate, dry_run=dry_run, yes=yes, detach=detach, export=export, reason=reason)
    with connected(dsn) as conn:
        bulk.run(conn, "purge", which, how)


def priority(
    which: Which,
    level: Annotated[int, typer.Argument(metavar="0-9", min=0, max=9, help="Higher runs first.")],
    reason: Reason = None,
    rate: Rate = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    detach: bulk.Detach = False,
    dsn: Dsn = None,
) -> None:
    """Give jobs that wait another priority."""
    how = Manner(rate=rate, dry_run=dry_run, yes=yes, detach=detach, reason=reason)
    with connected(dsn) as conn:
        if is_query(which):
            bulk.run(conn, "priority", which, how, level)
            return
        move = _move(f"jobs priority {level}", lambda job: operations.set_priority(job, level), reason)
        job_moves.move_each(conn, which, move)


def due_now(which: Which, reason: Reason = None, dsn: Dsn = None) -> None:
    """Make jobs that wait due now."""
    with connected(dsn) as conn:
        at = execute(conn, dead.moment_before(timedelta(0)))
        job_moves.move_each(conn, _ids(which), _move("jobs due-now", lambda job: operations.set_due(job, at), reason))


def snooze(
    which: Which,
    lasting: Annotated[timedelta | None, duration_option("--for", "So long from now.")] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", metavar="MOMENT", parser=moment, help="Until then; ISO 8601.")
    ] = None,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Let jobs that wait be due later; attempts and retries stay as they are."""
    if (lasting is None) == (until is None):
        raise UsageError("say how long: --for 1h, or --until 2031-05-01T09:30")
    with connected(dsn) as conn:
        at = until or execute(conn, dead.moment_before(-(lasting or timedelta(0))))
        job_moves.move_each(
            conn,
            _ids(which),
            _move(f"jobs snooze until {at:%Y-%m-%d %H:%M:%S%z}", lambda job: operations.set_due(job, at), reason),
        )


def edit(
    job_id: JobId,
    args: Annotated[
        str | None, typer.Argument(metavar="[ARGS]", help="The arguments, as JSON; else $EDITOR is opened with them.")
    ] = None,
    app: App = [],  # noqa: B006, typer copies it
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Give a job that waits or is dead other arguments; the old ones are kept in `pgqueue.revisions`.

    With --app they are checked against the parameters of its task. Keys that were made from the arguments stay.
    """
    if app:
        load_apps(app)
    with connected(dsn) as conn:
        job = client.get_job(conn, job_id_of(conn, job_id))
        text = args if args is not None else edited(as_json(job.args, indent=2))
        if text is None:
            say("nothing was changed")
            raise typer.Exit(Exit.FAILED)
        new = arguments(text)
        if app:
            _check(job.target, new, app)
        encoded = encode_args(new)
        with acting(conn, "jobs edit", job_ids=[job.id], reason=reason) as act:
            state = execute(conn, operations.edit_args(job.id, encoded, who()))
            act.done = state in (*_WAITING, "dead")
    typer.echo(f"{job.id} {state}")
    if not act.done:
        say_error(f"{job.id} is {state}: only a job that waits or is dead can be edited")
        raise typer.Exit(Exit.FAILED)


def _check(target: str, args: list[Any] | dict[str, Any] | None, app: list[str]) -> None:
    """Raise UsageError if arguments do not fit the parameters of the task."""
    try:
        task = find_task(target, app)
    except (Refused, Unknown) as error:
        raise UsageError(
            f"the arguments cannot be checked: {error}; leave --app out to store them as they are"
        ) from None
    misfit = task.misfit((), args) if isinstance(args, dict) else task.misfit(args or (), {})
    if misfit is not None:
        raise UsageError(f"{target}: {misfit}")


def _ids(which: list[str]) -> list[str]:
    if is_query(which):
        raise UsageError(f"this takes ids, got {which[0][:80]!r}; find them with `pgqueue jobs list '{which[0][:80]}'`")
    return which


def _move(
    action: str,
    change: Callable[[UUID], Statement[Any]],
    reason: str | None,
    fine: tuple[str, ...] = _WAITING,
) -> job_moves.Move:
    """A change of one job, written into the audit if it was made."""

    def move(conn: psycopg.Connection[Any], job_id: UUID) -> Exit:
        with acting(conn, action, job_ids=[job_id], reason=reason) as act:
            became = execute(conn, change(job_id))
            act.done = became in fine
        state = client.get_job(conn, job_id).state
        typer.echo(f"{job_id} {state}")
        if act.done:
            return Exit.FINE
        say_error(f"{job_id} does not wait: it is {state}")
        return Exit.FAILED

    return move
