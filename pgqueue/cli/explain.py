"""`pgqueue jobs explain` and `pgqueue queues explain`: the answers of the database, as lines or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

import typer

from pgqueue.answers import why_answer
from pgqueue.cli.completing import queue_names
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say_error
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.job_list import BUSY
from pgqueue.cli.options import Dsn, JobId, Json
from pgqueue.cli.output import paint, print_json
from pgqueue.cli.queues import check_queues
from pgqueue.encryption import in_words
from pgqueue.errors import JobNotFound
from pgqueue.printable import in_one_line
from pgqueue.record import Explanation
from pgqueue.store import execute, explaining
from pgqueue.store.looking import LONGER, look

# What keeps a job or a queue from going on; what does not; what could not be told.
MARKS: Mapping[bool | None, tuple[str, str]] = {True: ("✗", "red"), False: ("✓", "green"), None: ("?", "yellow")}


def explain_job(job_id: JobId, dsn: Dsn = None, as_json: Json = False) -> None:
    """Say why a job is where it is, what was looked at, and what to do.

    The first reason that holds is the answer. Changes nothing, and reads a bounded number of rows.
    """
    with connected(dsn) as conn:
        wanted = job_id_of(conn, job_id)
        found = look(conn, lambda conn: (execute(conn, explaining.job(wanted)),), LONGER)
    if found is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    if found[0] is None:
        raise JobNotFound(wanted)
    _print(found[0], as_json=as_json)


def explain_queue(
    queue: Annotated[str, typer.Argument(metavar="QUEUE", autocompletion=queue_names, help="The queue's name.")],
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Say why a queue does not drain, what was looked at, and what to do."""
    check_queues([queue])
    with connected(dsn) as conn:
        found = look(conn, lambda conn: execute(conn, explaining.queue(queue)), LONGER)
    if found is None:
        say_error(BUSY)
        raise typer.Exit(Exit.FAILED)
    _print(found, as_json=as_json)


def _print(found: Explanation, *, as_json: bool) -> None:
    if as_json:
        print_json(why_answer(found))
        return
    for line in lines_of(found, paint):
        typer.echo(line)


def lines_of(found: Explanation, paint: Callable[[str, str], str] = lambda text, _: text) -> Iterator[str]:
    """The answer, what was looked at, and the cure; with `paint` in colours."""
    first, headline = found.findings[0], found.headline
    yield f"{paint(_opening(found), 'bold')}{in_one_line(in_words(headline.text))}"
    for each in found.findings:
        if each is first or (each is headline and len(found.findings) <= 2):
            continue
        mark, style = MARKS[each.holds]
        yield f"  {paint(mark, style)} {in_one_line(in_words(each.text))}"
    if headline.cure:
        yield f"  cure: {in_one_line(headline.cure)}"


def _opening(found: Explanation) -> str:
    state = found.findings[0].detail.get("state")
    if state is None or found.headline.code == "ended":
        return ""
    return "READY, not running: " if state == "ready" else f"{in_one_line(str(state)).upper()}: "
