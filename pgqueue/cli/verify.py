"""`pgqueue verify`: the promise, tried by faults."""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import Annotated, NoReturn

import typer

from pgqueue.cli.errors import Exit, say
from pgqueue.cli.options import Dsn, Json
from pgqueue.cli.output import paint, print_json
from pgqueue.errors import UsageError
from pgqueue.store.diagnosis import diagnosed

INTERRUPTED = 130
COLOURS = {"held": "green", "violated": "red"}
SEEDS = 1_000_000


def verify(
    dsn: Dsn = None,
    minutes: Annotated[
        float,
        typer.Option("--minutes", metavar="N", min=0.01, help="How long faults happen; twice as long if dangers lack."),
    ] = 2.0,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Repeat the faults and jobs of this seed; else a new one.")
    ] = None,
    plant: Annotated[
        str | None, typer.Option("--plant", metavar="BUG", help="Plant a bug that it must find; see the guide.")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option("--protocol", metavar="CMD", help="Try a worker in another language instead: start it by CMD."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CHECK", help="With --protocol: only these checks.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave database and logs there, to look at.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell of every fault.")] = False,
    as_json: Json = False,
) -> None:
    """Run mixed jobs under faults, and check that nothing was lost or doubled.

    Workers are killed and stopped, connections cut or silenced, the server restarted, all by a schedule drawn from a
    seed. It works in a database of its own: on the server that is named, or on an embedded one that it starts. Both
    are removed again.

    Exit codes: 0 every danger occurred and every promise held, 1 violated, 5 inconclusive, 130 interrupted.

    With --protocol a worker that you wrote in another language is started, given jobs and treated badly; no worker of
    pgqueue's. Exit codes: 0 it conforms, 1 it does not.
    """
    if protocol is not None or only:
        _conform(dsn, protocol, only or [], keep, as_json)
    from pgqueue.verify import run_verify
    from pgqueue.verify.planted_bugs import named
    from pgqueue.verify.report import lines
    from pgqueue.verify.settings import Settings

    settings = Settings(
        dsn=dsn,
        minutes=minutes,
        seed=random.randrange(SEEDS) if seed is None else seed,
        plant=named(plant),
        keep=keep,
        say=say,
        say_fault=say if verbose else _silent,
    )
    try:
        with diagnosed():
            report = run_verify(settings)
    except KeyboardInterrupt:
        say("interrupted; no process is left behind")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json({"verdict": report.verdict, **asdict(report)})
    else:
        *rest, last = lines(report)
        for line in rest:
            typer.echo(line)
        typer.echo(paint(last, COLOURS.get(report.verdict, "yellow")))
    raise typer.Exit({"held": Exit.FINE, "violated": Exit.FAILED}.get(report.verdict, Exit.INCONCLUSIVE))


def _conform(dsn: str | None, command: str | None, only: list[str], keep: bool, as_json: bool) -> NoReturn:
    from pgqueue.verify.protocol import conform, lines

    if command is None:
        raise UsageError("--only is for --protocol CMD")
    try:
        with diagnosed():
            found = conform(dsn, command, only, keep=keep, say=say)
    except KeyboardInterrupt:
        say("interrupted; no process is left behind")
        raise typer.Exit(INTERRUPTED) from None
    conforms = all(each.passed for each in found)
    if as_json:
        print_json({"conforms": conforms, "checks": [asdict(each) for each in found]})
    else:
        *rest, last = lines(found)
        for line in rest:
            typer.echo(line)
        typer.echo(paint(last, "green" if conforms else "red"))
    raise typer.Exit(Exit.FINE if conforms else Exit.FAILED)


def _silent(text: str) -> None:
    return
