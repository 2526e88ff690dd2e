"""`pgqueue erase`: a person goes from all that pgqueue keeps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pgqueue.acting import erasing as steering
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.database import connected
from pgqueue.cli.errors import Exit, say
from pgqueue.cli.options import Dsn, Json
from pgqueue.cli.output import print_json, print_table
from pgqueue.erasing import BATCH, Erasure
from pgqueue.erasing import erase as look
from pgqueue.interrupt import interruptible

if TYPE_CHECKING:
    from collections.abc import Sequence

Named = list[str] | None
INTERRUPTED = 130
# Of jobs that run so many are named.
MOST_NAMED = 20


def erase(
    label: Annotated[
        Named, typer.Option("--label", metavar="NAME=VALUE", help="Jobs with this label; several.")
    ] = None,
    arg: Annotated[
        Named,
        typer.Option(
            "--arg",
            metavar="PATH=VALUE",
            help="Jobs with this among their arguments, by name, or by place from 0; several.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    batch: Annotated[
        int, typer.Option("--batch", metavar="N", min=1, max=10_000, help="Rows looked at in one transaction.")
    ] = BATCH,
    begin_at: Annotated[
        str | None, typer.Option("--begin-at", metavar="PLACE", help="Go on where one was interrupted, as it said.")
    ] = None,
    reason: Reason = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Remove all jobs that have one of these labels or arguments, in any state, with whatever is kept of them.

    What waits is cancelled; what runs is asked to end, stays, and is named: erase again when it has ended. A batch of
    rows a transaction; the audit has by what was sought, and no value. Every table is read whole.

    Exit codes: 0 all is gone, 1 jobs run or nothing was done, 2 wrong options, 3 no database, 78 no schema,
    130 interrupted.
    """
    labels, args = _pairs("--label", label or ()), _pairs("--arg", arg or ())
    with connected(dsn) as conn, interruptible():
        if dry_run or not yes:
            seen = look(conn, label=labels, args=args, dry_run=True, batch=batch, begin_at=begin_at)
            _print(seen, as_json=as_json and dry_run, gone=False)
            if dry_run:
                return
            if not seen.removed or not typer.confirm("Remove all of this for good?", err=True):
                say("nothing was done")
                raise typer.Exit(Exit.FINE if not seen.removed else Exit.FAILED)
        heard = Erasure()

        def after(so_far: Erasure) -> None:
            nonlocal heard
            heard = so_far
            if sys.stderr.isatty():
                typer.echo(f"\r{so_far.removed.total():,} rows removed\x1b[K", err=True, nl=False)

        try:
            done = steering.put_out(conn, actor(reason), labels, args, batch=batch, begin_at=begin_at, after=after)
        except KeyboardInterrupt:
            _print(heard, as_json=as_json, gone=True)
            say(f"interrupted; go on with --begin-at {heard.place!r}")
            raise typer.Exit(INTERRUPTED) from None
        finally:
            if sys.stderr.isatty():
                typer.echo("\r\x1b[K", err=True, nl=False)
    _print(done, as_json=as_json, gone=True)
    raise typer.Exit(Exit.FAILED if done.running else Exit.FINE)


def _pairs(option: str, said: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for each in said:
        name, sign, value = each.partition("=")
        if not (name and sign and value) or name in pairs:
            raise typer.BadParameter("reads like customer=42, each name once", param_hint=option)
        pairs[name] = value
    return pairs


def _print(done: Erasure, *, as_json: bool, gone: bool) -> None:
    running = sorted(map(str, done.running))
    if as_json:
        print_json({"removed": dict(done.removed), "running": running, "elsewhere": dict(done.elsewhere)})
        return
    if done.removed:
        print_table(["TABLE", "REMOVED" if gone else "ROWS"], [[name, n] for name, n in sorted(done.removed.items())])
    else:
        typer.echo("Nothing was removed." if gone else "There is nothing to remove.")
    if running:
        more = f", and {len(running) - MOST_NAMED:,} more" if len(running) > MOST_NAMED else ""
        asked = "were asked to end; erase again when they have" if gone else "would be asked to end, and stay"
        say(f"{len(running):,} jobs run, and {asked}: {', '.join(running[:MOST_NAMED])}{more}")
    for name, n in sorted(done.elsewhere.items()):
        say(f"{name}: {n:,} rows name them, and are left (docs/guides/erasure.md)")
