"""`pgqueue import`: take over the jobs that wait in another queue of this database."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pgqueue.acting import Actor
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.apps import load_apps
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say
from pgqueue.cli.job_options import InQueue
from pgqueue.cli.options import App, Dsn, Json, choice_option
from pgqueue.cli.output import print_json, print_table
from pgqueue.errors import OptionError, UsageError
from pgqueue.importing import BATCH, SOURCES, Report, Rule, Terms, look, move, rule_of, rules_in
from pgqueue.interrupt import interruptible

if TYPE_CHECKING:
    import psycopg

INTERRUPTED = 130


class From(StrEnum):
    """The queues that jobs may come from."""

    PROCRASTINATE = "procrastinate"
    DJANGO_TASKS_DB = "django-tasks-db"
    PGQUEUER = "pgqueuer"


class Payload(StrEnum):
    """What the payloads of PgQueuer are."""

    JSON = "json"
    TEXT = "text"
    BASE64 = "base64"


def import_jobs(
    source: Annotated[From, typer.Argument(metavar="|".join(From), help="The queue that they wait in.")],
    app: App = [],  # noqa: B006, typer copies it
    rules: Annotated[
        list[str],
        typer.Option(
            "--map", metavar="OLD=NEW", help="A task's name there, and its target here; one * is any letters."
        ),
    ] = [],  # noqa: B006, typer copies it
    file: Annotated[
        Path | None, typer.Option("--map-file", metavar="FILE", dir_okay=False, exists=True, help="A rule a line.")
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="NAME", help="Only jobs of this task, named as there; * and ?.")
    ] = None,
    queue: InQueue = None,
    payload: Annotated[
        Payload | None, choice_option("--payload", of=Payload, help="Of pgqueuer: what they are; json.")
    ] = None,
    table: Annotated[
        str | None, typer.Option("--table", metavar="[SCHEMA.]NAME", help="Where they stand, if not as usual.")
    ] = None,
    batch: Annotated[
        int, typer.Option("--batch", metavar="N", min=1, max=10_000, help="Jobs in one transaction.")
    ] = BATCH,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    reason: Reason = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Move jobs that wait in another queue of this database here: enqueued here and gone there in one transaction.

    What has begun there is left to its workers. Whatever ends it before, the same command goes on where it was, and no
    job is lost or doubled. Without a rule that is about it shop.mail.send is shop.mail:send. With --app a job must be
    one of its tasks, and have arguments that fit it; else it stays, as all that cannot be moved.

    Exit codes: 0 all that was meant has moved, 1 some stays, or a queue is full, 2 wrong options, 3 no database,
    78 no schema, 130 interrupted.
    """
    chosen = SOURCES[source.value]
    if payload is not None and source is not From.PGQUEUER:
        raise UsageError(f"--payload is about the payloads of pgqueuer; what {source.value} writes is JSON")
    if app:
        load_apps(app)
    terms = Terms(
        source=chosen,
        rules=_rules(rules, file),
        apps=app,
        only=only,
        queue=queue,
        payload="json" if payload is None else payload.value,
        table=table,
    )
    with connected(dsn) as conn, interruptible():
        if dry_run or not yes:
            seen = look(conn, terms)
            _print(seen, as_json=as_json and dry_run, moved=False)
            if dry_run or not seen.moved:
                raise typer.Exit(_code(seen))
            if not typer.confirm(f"Move {seen.moved:,} jobs?", err=True):
                say("nothing was done")
                raise typer.Exit(Exit.FAILED)
        report = _moved(conn, terms, actor(reason), batch, as_json=as_json)
    _print(report, as_json=as_json, moved=True)
    raise typer.Exit(_code(report))


def _moved(conn: psycopg.Connection[Any], terms: Terms, who: Actor, batch: int, *, as_json: bool) -> Report:
    """Move, and say how far it is where somebody looks on. Raises typer.Exit if somebody ends it."""
    heard = Report()

    def after(so_far: Report) -> None:
        nonlocal heard
        heard = so_far
        if sys.stderr.isatty():
            typer.echo(f"\r{so_far.moved:,} moved\x1b[K", err=True, nl=False)

    try:
        return move(conn, terms, who, batch=batch, after=after)
    except KeyboardInterrupt:
        _print(heard, as_json=as_json, moved=True)
        say("interrupted; what has moved stays here, and the same command goes on with the rest")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        if sys.stderr.isatty():
            typer.echo("\r\x1b[K", err=True, nl=False)


def _code(report: Report) -> Exit:
    return Exit.FAILED if report.skipped else Exit.FINE


def _rules(said: Sequence[str], file: Path | None) -> list[Rule]:
    """Those of the command line go before those of the file."""
    rules = [rule_of(text) for text in said]
    if file is None:
        return rules
    try:
        return [*rules, *rules_in(file.read_text())]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    except OptionError as error:
        raise OptionError(f"{file}, {error}") from None


def _print(report: Report, *, as_json: bool, moved: bool) -> None:
    if as_json:
        print_json(_as_facts(report))
        return
    if report.went:
        print_table(
            ["TASK THERE", "TARGET HERE", "MOVED" if moved else "JOBS"],
            [[*line, count] for line, count in report.went.most_common()],
        )
    else:
        typer.echo("Nothing was moved." if moved else "There is nothing to move.")
    for note, count in report.notes.most_common():
        say(f"of {count:,}: {note}")
    if report.left:
        say(f"{report.skipped:,} {'stay' if moved else 'would stay'} where they are:")
    for (name, why), left in report.left.items():
        ids = ", ".join(map(str, left.ids))
        say(f"  {name}: {left.count:,} ({ids}{', ...' if left.count > len(left.ids) else ''}): {why}")


def _as_facts(report: Report) -> dict[str, object]:
    return {
        "moved": report.moved,
        "skipped": report.skipped,
        "tasks": [{"name": name, "target": target, "jobs": n} for (name, target), n in report.went.most_common()],
        "left": [
            {"name": name, "why": why, "jobs": left.count, "ids": [str(each) for each in left.ids]}
            for (name, why), left in report.left.items()
        ],
        "notes": [{"note": note, "jobs": count} for note, count in report.notes.most_common()],
    }
