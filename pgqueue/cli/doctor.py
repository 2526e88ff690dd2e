"""`pgqueue doctor`: what is wrong with the database, and what to do about it."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pgqueue.cli.database import named_dsns, served
from pgqueue.cli.errors import Exit, exit_code, say_error
from pgqueue.cli.options import DsnFile, Dsns, Json
from pgqueue.cli.output import paint, print_json
from pgqueue.database import address_of
from pgqueue.each_database import ask_each
from pgqueue.errors import UsageError
from pgqueue.printable import in_lines, in_one_line
from pgqueue.store.diagnosis import diagnosed

if TYPE_CHECKING:
    from pgqueue.doctor import Verdict
    from pgqueue.doctor.checks import Check

# A database is asked for as long as its checks may take together.
SECONDS_EACH = 30.0
STYLES = {"ok": "green", "warn": "yellow", "FAIL": "red", "unknown": "yellow"}


def doctor(
    dsn: Dsns = [],  # noqa: B006, typer copies it
    dsn_file: DsnFile = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CHECK", help="Only this check; repeatable, or after commas.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only what is not ok.")] = False,
    fix_sql: Annotated[
        bool, typer.Option("--fix-sql", help="Print the SQL of the cures instead, as a script. Runs nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what is wrong with the database that the queue lives in, and what to do about it. Changes nothing.

    Each check answers ok, warn, FAIL, or unknown where this role may not see. Exit code 1 if one is FAIL. Of several
    databases each has a section; one that does not answer is said, and keeps none of the others waiting.
    """
    # Late: no other command needs it.
    from pgqueue.doctor import CHECKS, diagnose

    wanted = _chosen(CHECKS, only)
    named = named_dsns(dsn, dsn_file)
    if len(named) > 1:
        raise typer.Exit(_doctor_of_several(named, wanted, quiet=quiet, fix_sql=fix_sql, as_json=as_json))
    with served(named[0] if named else None) as address, diagnosed():
        verdicts = diagnose(address, wanted)
        if fix_sql:
            found = list(verdicts)
            _print_script(found)
        elif as_json:
            found = list(verdicts)
            print_json(found)
        else:
            found = _print(verdicts, quiet=quiet)
    if any(each.status == "FAIL" for each in found):
        raise typer.Exit(Exit.FAILED)


def _doctor_of_several(
    dsns: Sequence[str], wanted: Sequence[Check], *, quiet: bool, fix_sql: bool, as_json: bool
) -> int:
    from pgqueue.doctor import diagnose

    told = ask_each(dsns, lambda dsn: list(diagnose(address_of(dsn), wanted)), SECONDS_EACH)
    if as_json:
        print_json(
            [
                {"database": each.database, "error": each.error and str(each.error), "verdicts": each.answer or []}
                for each in told
            ]
        )
    for each in () if as_json else told:
        if fix_sql:
            typer.echo(f"-- {each.database}")
            _print_script(each.answer or [])
        elif each.answer is not None:
            typer.echo(paint(f"{each.database}:", "bold"))
            _print(each.answer, quiet=quiet)
        if each.error is not None:
            say_error(f"{each.database}: {each.error}")
    failed = any(verdict.status == "FAIL" for each in told for verdict in each.answer or ())
    unasked = next((exit_code(each.error) for each in told if each.error is not None), Exit.FINE)
    return Exit.FAILED if failed else unasked


def _chosen(checks: Sequence[Check], only: list[str] | None) -> list[Check]:
    names = [name.strip() for given in only or () for name in given.split(",") if name.strip()]
    known = {check.name: check for check in checks}
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(known)}"
            raise UsageError(f"there is no check {name!r:.80}; {meant}")
    return [check for check in checks if not names or check.name in names]


def _print(verdicts: Iterable[Verdict], *, quiet: bool) -> list[Verdict]:
    found = []
    for each in verdicts:
        found.append(each)
        if quiet and each.status == "ok":
            continue
        status = paint(each.status.ljust(7), STYLES[each.status])
        typer.echo(f"{status} {each.check.ljust(16)} {in_one_line(each.text, 600)}")
        if each.cure:
            typer.echo(f"{' ' * 25}→ {in_one_line(each.cure)}")
    counts = Counter(each.status for each in found)
    summary = ", ".join(
        f"{count} {status}" for status, count in sorted(counts.items(), key=lambda item: [*STYLES].index(item[0]))
    )
    if not quiet or set(counts) - {"ok"}:
        typer.echo(summary)
    return found


def _print_script(verdicts: Sequence[Verdict]) -> None:
    """Statements for psql; what is no SQL is a comment."""
    for each in verdicts:
        if each.status == "ok" or (not each.sql and not each.cure):
            continue
        typer.echo(f"-- {each.check}: {in_one_line(each.text, 600)}")
        for statement in each.sql or (f"-- {in_one_line(each.cure or '')}",):
            typer.echo(in_lines(statement))
