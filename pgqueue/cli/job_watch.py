"""`pgqueue jobs watch`: a job as it goes on, until it has ended."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from pgqueue import client
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say_error
from pgqueue.cli.job_ids import job_id_of
from pgqueue.cli.job_progress import amount_of, pace_of
from pgqueue.cli.options import Dsn, JobId, Json, duration_option
from pgqueue.cli.output import console
from pgqueue.encryption import in_words, shown_value
from pgqueue.errors import ResultTimeout
from pgqueue.job import JobState
from pgqueue.jsonable import jsonable
from pgqueue.printable import as_json as printable_json
from pgqueue.printable import in_one_line
from pgqueue.record import Watched
from pgqueue.watching import watch as watching

if TYPE_CHECKING:
    from rich.console import Console

Show = Callable[[Watched], None]


def watch(
    job_id: JobId,
    dsn: Dsn = None,
    timeout: Annotated[timedelta | None, duration_option("--timeout", "Watch so long at most.")] = None,
    as_json: Json = False,
) -> None:
    """Watch a job until it has ended: a bar on a terminal, elsewhere a line each time that something changes.

    Exit code 0 if it succeeded, 1 if it ended otherwise, or not in time; ^C ends the watching, not the job.
    """
    with connected(dsn) as conn:
        found = client.get_job(conn, job_id_of(conn, job_id))
        conn.commit()
        last: Watched | None = None
        limit = None if timeout is None else timeout.total_seconds()
        try:
            with closing(_as_iterator(watching(conn, found.id, limit))) as seen, _screen(found.id, as_json) as show:
                for last in seen:
                    show(last)
        except ResultTimeout as error:
            say_error(str(error))
        except KeyboardInterrupt:
            raise typer.Exit(Exit.FINE) from None
    raise typer.Exit(Exit.FINE if last is not None and last.state is JobState.SUCCEEDED else Exit.FAILED)


def _as_iterator(seen: Iterator[Watched]) -> Generator[Watched]:
    yield from seen


@contextmanager
def _screen(job_id: UUID, as_json: bool) -> Iterator[Show]:
    shown = console()
    if as_json:
        yield lambda seen: typer.echo(printable_json(shown_value(jsonable(seen))))
    elif shown.is_terminal and not shown.is_dumb_terminal:
        with _bar(shown, job_id) as show:
            yield show
    else:
        yield lambda seen: typer.echo(_line(seen))


@contextmanager
def _bar(shown: Console, job_id: UUID) -> Iterator[Show]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[said]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=shown) as drawn:
        task = drawn.add_task(str(job_id)[:13], total=None, said="")

        def show(seen: Watched) -> None:
            said = seen.progress
            drawn.update(
                task,
                completed=0 if said is None else said.done,
                total=None if said is None else said.total,
                said=_line(seen),
            )

        yield show


def _line(seen: Watched) -> str:
    words = [f"{seen.state}, attempt {seen.attempt}"]
    if (said := seen.progress) is not None:
        words += [amount_of(said), *(pace_of(said) if seen.state is JobState.RUNNING else [])]
        words += [in_one_line(in_words(said.note), 100)] if said.note else []
    return ", ".join(words)
