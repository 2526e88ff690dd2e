"""`pgqueue jobs bury|purge|priority|due-now|snooze|edit`: changes of jobs that wait or are dead."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from pgqueue import client
from pgqueue.acting import jobs as changes
from pgqueue.cli import bulk, job_moves
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.apps import load_apps
from pgqueue.cli.bulk import DryRun, Manner, Rate, Yes, is_query
from pgqueue.cli.database import connected
from pgqueue.cli.editor import edited
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.options import App, Dsn, JobId, duration_option
from pgqueue.cli.telling import tell
from pgqueue.cli.values import arguments, moment
from pgqueue.errors import UsageError
from pgqueue.masks import unmasked
from pgqueue.printable import as_json
from pgqueue.store import dead, execute, secrecy
from pgqueue.tasks import Modules, Refused, Task, Unknown, find_task

Which = Annotated[
    list[str], typer.Argument(metavar="ID...|QUERY", help="The jobs' ids, or their first digits; or a query in quotes.")
]


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
        job_moves.move_each(conn, which, job_moves.moved(lambda conn, job: changes.bury(conn, actor(reason), job)))


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
        move = job_moves.moved(lambda conn, job: changes.set_priority(conn, actor(reason), job, level))
        job_moves.move_each(conn, which, move)


def due_now(which: Which, reason: Reason = None, dsn: Dsn = None) -> None:
    """Make jobs that wait due now."""
    with connected(dsn) as conn:
        move = job_moves.moved(lambda conn, job: changes.make_due(conn, actor(reason), job))
        job_moves.move_each(conn, _ids(which), move)


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
        move = job_moves.moved(lambda conn, job: changes.snooze(conn, actor(reason), job, at))
        job_moves.move_each(conn, _ids(which), move)


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

    With --app they are checked against the parameters of its task. Keys that were made from the arguments stay. What
    its task calls sensitive is shown as dots; where they are left as they are, so is what they stand for.
    """
    if app:
        load_apps(app)
    with connected(dsn) as conn:
        job = client.get_job(conn, job_id_of(conn, job_id))
        known = secrecy.knowing(conn, [job.target])
        seen = known.of_value(job.target, job.args)[0]
        text = args if args is not None else edited(as_json(seen, indent=2))
        if text is None:
            say("nothing was changed")
            raise typer.Exit(Exit.FAILED)
        typed = arguments(text)
        assert typed is not None, "there is a text"
        new = unmasked(typed, as_json(job.args), job.target, known)
        became = changes.edit(conn, actor(reason), job, new, _task(job.target, app) if app else None)
    tell(f"{job.id} {became.state}", job=job.id, state=became.state)
    if not became.done:
        say_error(became.said or "")
        raise typer.Exit(Exit.FAILED)


def sign(which: Which, reason: Reason = None, dsn: Dsn = None) -> None:
    """Sign jobs that wait or are dead as they stand now, with the current key. Look at them before you do.

    For those from before there were keys, and those that somebody has changed with good reason; a dead one is then
    revived by `jobs retry`.
    """
    with connected(dsn) as conn:
        move = job_moves.moved(lambda conn, job: changes.sign(conn, actor(reason), job))
        job_moves.move_each(conn, _ids(which), move)


def run_again(
    job_id: JobId,
    args: Annotated[
        str | None, typer.Argument(metavar="[ARGS]", help="Other arguments, as JSON; else those that it has.")
    ] = None,
    app: App = [],  # noqa: B006, typer copies it
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Enqueue a copy of a job, due now, and print its id: with its queue, priority, keys, cost and labels.

    With --app its arguments are checked against the parameters of its task. While a live job has its unique key none is
    made.
    """
    given = arguments(args)
    if app:
        load_apps(app)
    with connected(dsn) as conn:
        job = client.get_job(conn, job_id_of(conn, job_id))
        task = _task(job.target, app) if app else None
        copy = changes.run_again(conn, actor(reason), job, job.args if given is None else given, task)
    if not copy.done:
        say_error(copy.said or "")
        raise typer.Exit(Exit.FAILED)
    tell(str(copy.job_id), job=copy.job_id, of=job.id, state=copy.state)


def _task(target: str, app: list[str]) -> Task[..., Any]:
    """The task whose parameters arguments must fit. Raises UsageError."""
    try:
        return find_task(target, Modules(tuple(app)))
    except (Refused, Unknown) as error:
        raise UsageError(
            f"the arguments cannot be checked: {error}; leave --app out to store them as they are"
        ) from None


def _ids(which: list[str]) -> list[str]:
    if is_query(which):
        raise UsageError(f"this takes ids, got {which[0][:80]!r}; find them with `pgqueue jobs list '{which[0][:80]}'`")
    return which
