"""`pgqueue dashboard`: pages that show what the database holds, served here."""

from __future__ import annotations

import getpass
import signal
import sys
from typing import Annotated

import typer

from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.options import Dsn
from pgqueue.database import dsn_of
from pgqueue.errors import UsageError

# Seconds that open streams are given when the command ends: they last as long as somebody looks.
PATIENCE = 2
INSTALL = "the dashboard needs more than pgqueue itself; install it: pip install 'pgqueue-postgres[dashboard]'"


def dashboard(
    dsn: Dsn = None,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Listen there.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65_535, help="And at this port.")] = 8080,
    auth: Annotated[
        str | None,
        typer.Option(
            "--auth",
            metavar="HOW",
            help="Who may look: basic:FILE, or header:NAME@NETWORK[,NETWORK] of a proxy; else this machine alone.",
        ),
    ] = None,
    read_dsn: Annotated[
        str | None,
        typer.Option(
            "--read-dsn", metavar="DSN", envvar="PGQUEUE_READ_DSN", help="Read there instead: from a standby."
        ),
    ] = None,
    root_path: Annotated[
        str, typer.Option("--root-path", metavar="PATH", help="Where a proxy shows it, such as /ops/queue.")
    ] = "",
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What stands above the pages.")] = "pgqueue",
    new_user: Annotated[
        str | None,
        typer.Option("--new-user", metavar="NAME", help="Ask for a password, print a line for the FILE, and end."),
    ] = None,
) -> None:
    """Serve pages that show queues, jobs, workers and all else. They read, and change nothing."""
    try:
        import uvicorn

        from pgqueue.dashboard import create_app, hash_password
        from pgqueue.dashboard.app import below
        from pgqueue.dashboard.auth_option import auth_of
        from pgqueue.dashboard.guard import is_loopback
    except ImportError as error:
        raise UsageError(INSTALL) from error
    if new_user is not None:
        typer.echo(f"{new_user}:viewer:{hash_password(_password())}")
        return
    who = None if auth is None else auth_of(auth)
    if who is None and not is_loopback(host):
        say_error(f"{host} can be reached by others; say who may look, with --auth, or listen on 127.0.0.1")
        raise typer.Exit(Exit.USAGE)
    app = create_app(dsn_of(dsn, "the dashboard"), auth=who, read_dsn=read_dsn, title=title)
    say(f"the dashboard is at http://{f'[{host}]' if ':' in host else host}:{port}{root_path.rstrip('/')}/")
    # uvicorn ends well on it, and then sends it again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(Exit.FINE))
    # Of nobody's headers but those that auth says: what a client writes there is not believed.
    uvicorn.run(
        # By uvicorn's own option only a proxy that strips the path would do.
        below(app, root_path.rstrip("/")),
        host=host,
        port=port,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=PATIENCE,
    )


def _password() -> str:
    password = getpass.getpass("Password: ")
    if not password:
        raise UsageError("a password must not be empty")
    if password != getpass.getpass("Again: "):
        raise UsageError("the two passwords differ")
    return password
