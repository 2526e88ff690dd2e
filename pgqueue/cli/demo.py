"""`pgqueue demo`: the promise, shown on real files."""

from __future__ import annotations

from typing import Annotated

import typer

from pgqueue.cli.options import Dsn
from pgqueue.store.diagnosis import diagnosed


def demo(
    dsn: Dsn = None,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, max=64, help="How many workers.")] = 2,
    keep: Annotated[bool, typer.Option("--keep", help="Leave database and logs there, to look at.")] = False,
) -> None:
    """Count the words of Python's own library by jobs.

    On the way a child and a whole worker are killed with SIGKILL; in the end comes the proof that nothing was lost or
    doubled. Without a database it starts one of its own, and removes it again.
    """
    from pgqueue.demo import run_demo

    with diagnosed():
        code = run_demo(dsn, workers, keep)
    raise typer.Exit(code)
