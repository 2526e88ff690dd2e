"""`pgqueue exporter`: numbers of the database for Prometheus."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from pgqueue.cli.database import served
from pgqueue.cli.options import Dsn


def exporter(
    dsn: Dsn = None,
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="The address to answer at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="PORT", min=1, max=65535, help="The port.")] = 9187,
) -> None:
    """Answer Prometheus at /metrics with what the database says of queues, workers and itself.

    One such process is enough; it asks at most once in 5 seconds. Needs the extra `prometheus`.
    """
    from pgqueue.metrics.exporter import Exporter

    asked_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_stop.set())
    with served(dsn) as address:
        server = Exporter(address, host, port)
        server.start()
        typer.echo(f"metrics at http://{host}:{server.port}/metrics", err=True)
        asked_to_stop.wait()
        server.stop()
