"""The command `pgqueue top`."""

from __future__ import annotations

from typing import Annotated

import typer

from pgqueue.cli.database import connected, served
from pgqueue.cli.options import Dsn
from pgqueue.cli.values import seconds
from pgqueue.errors import UsageError

INSTALL = (
    "`pgqueue top` needs more than pgqueue itself; install it: pip install 'pgqueue-postgres[tui]'."
    " Without it: `pgqueue status -i 2`"
)


def top(
    dsn: Dsn = None,
    interval: Annotated[
        float, typer.Option("--interval", "-i", metavar="SECS", parser=seconds, help="Look again every so often.")
    ] = 2.0,
) -> None:
    """Watch queues, what runs, workers, causes and dead jobs on one screen; capitals change something, and ask.

    Asks one bounded question a look, and looks less often where the database is slow.
    """
    try:
        from pgqueue.cli.top.screen import Top
        from pgqueue.cli.top.source import Source
    except ImportError as error:
        raise UsageError(INSTALL) from error
    with served(dsn) as address:
        with connected(address) as conn:
            host = conn.info.host
            place = conn.info.dbname if not host or host.startswith("/") else f"{conn.info.dbname}@{host}"
        Top(Source(address), place, max(0.5, interval)).run()
