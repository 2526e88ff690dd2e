"""`pgqueue bench`: how fast it is here."""

from __future__ import annotations

from typing import Annotated

import typer

from pgqueue.cli.errors import say
from pgqueue.cli.options import Dsn, Json
from pgqueue.cli.output import print_table
from pgqueue.store.diagnosis import diagnosed

INTERRUPTED = 130


def bench(
    dsn: Dsn = None,
    rounds: Annotated[
        int, typer.Option("--rounds", metavar="N", min=1, max=100, help="How often all is measured.")
    ] = 1,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PATTERN", help="Only measures whose names begin so, or fit; repeatable."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Tiny sizes: to see that it works, not how fast.")] = False,
    full: Annotated[bool, typer.Option("--full", help="The sizes of the published figures: many minutes.")] = False,
    as_json: Json = False,
) -> None:
    """Measure speed beside raw ceilings, in a scratch database.

    The database is made for it on the server that is named, and dropped in the end; nothing else there is touched.
    Without a server it starts one of its own, durable as in production, and removes it again. Ratios to what the same
    server does with bare statements tell more than absolute figures.
    """
    from pgqueue.bench.run import Settings, run_bench
    from pgqueue.bench.sizes import FULL, QUICK, SMALL
    from pgqueue.bench.tables import figure_rows, json_lines, target_rows
    from pgqueue.bench.targets import CEILINGS

    sizes = QUICK if quick else FULL if full else SMALL
    try:
        with diagnosed():
            found = run_bench(Settings(dsn=dsn, sizes=sizes, rounds=rounds, only=only or [], say=say))
    except KeyboardInterrupt:
        say("interrupted; no database is left behind")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        for line in json_lines(found):
            typer.echo(line)
        return
    typer.echo(f"{found.machine.sentence()}; {rounds} rounds in {found.seconds:.0f} s\n")
    for head, *rows in (figure_rows(found.rounds, CEILINGS), target_rows(found.verdicts)):
        print_table(head, [[cell.replace("*", "").replace("`", "") for cell in row] for row in rows])
        typer.echo()
    for name, why in found.missing.items():
        typer.echo(f"not measured: {name}: {why}")
