"""`pgqueue dashboard`: pages that show what the database holds, served here."""

from __future__ import annotations

import getpass
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgqueue.cli.database import named_dsns
from pgqueue.cli.errors import Exit, say, say_error
from pgqueue.cli.options import DsnFile, Dsns
from pgqueue.database import dsn_of
from pgqueue.errors import UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

# Seconds that open streams are given when the command ends: they last as long as somebody looks.
PATIENCE = 2
INSTALL = "the dashboard needs more than pgqueue itself; install it: pip install 'pgqueue-postgres[dashboard]'"


def dashboard(
    dsn: Dsns = [],  # noqa: B006, typer copies it
    dsn_file: DsnFile = None,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Listen there.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65_535, help="And at this port.")] = 8080,
    auth: Annotated[
        str | None,
        typer.Option(
            "--auth",
            metavar="HOW",
            help="Who may look: basic:FILE, or header:NAME@NETWORK[,NETWORK] of a proxy, whose users see all queues;"
            " else this machine alone.",
        ),
    ] = None,
    read_dsn: Annotated[
        str | None,
        typer.Option(
            "--read-dsn", metavar="DSN", envvar="PGQUEUE_READ_DSN", help="Read there instead: from a standby."
        ),
    ] = None,
    allow_actions: Annotated[
        bool, typer.Option("--allow-actions", help="Let people act as their role may; else the pages only show.")
    ] = False,
    root_path: Annotated[
        str, typer.Option("--root-path", metavar="PATH", help="Where a proxy shows it, such as /ops/queue.")
    ] = "",
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What stands above the pages.")] = "pgqueue",
    api: Annotated[
        Path | None,
        typer.Option("--api", metavar="FILE", help="Answer programs below /api/v1 that show a token of this file."),
    ] = None,
    new_user: Annotated[
        str | None,
        typer.Option("--new-user", metavar="NAME", help="Ask for a password, print a line for the FILE, and end."),
    ] = None,
    new_token: Annotated[
        str | None,
        typer.Option("--new-token", metavar="NAME", help="Make a token, print a line for the FILE of --api, and end."),
    ] = None,
    openapi: Annotated[
        bool, typer.Option("--openapi", help="Print the description of the API, and end: OpenAPI 3.1.")
    ] = False,
) -> None:
    """Serve pages that show queues, jobs, workers and all else; with --allow-actions they can change things, too.

    Of several databases the first page has a line for each, and leads to its pages.
    """
    try:
        import uvicorn

        from pgqueue.dashboard import Tokens, create_app, hash_password
        from pgqueue.dashboard.api.openapi import text as described
        from pgqueue.dashboard.app import below
        from pgqueue.dashboard.auth_option import auth_of
        from pgqueue.dashboard.guard import is_loopback
        from pgqueue.dashboard.several import create_app_of_several
    except ImportError as error:
        raise UsageError(INSTALL) from error
    if new_user is not None:
        typer.echo(f"{new_user}:viewer:{hash_password(_password())}")
        return
    if new_token is not None:
        _make_token(new_token)
        return
    if openapi:
        typer.echo(described(), nl=False)
        return
    who = None if auth is None else auth_of(auth)
    # Without --auth pages are refused to others all the same.
    if who is None and api is None and not is_loopback(host):
        say_error(f"{host} can be reached by others; say who may look, with --auth, or listen on 127.0.0.1")
        raise typer.Exit(Exit.USAGE)
    tokens = None if api is None else Tokens.of_file(api)
    named = named_dsns(dsn, dsn_file)
    app: ASGIApp
    if len(named) > 1:
        if read_dsn is not None:
            raise UsageError("--read-dsn leads to one database, and there are several; name the standbys by --dsn")
        app = create_app_of_several(named, auth=who, actions=allow_actions, title=title, api=tokens)
    else:
        one = dsn_of(named[0] if named else None, "the dashboard")
        app = create_app(one, auth=who, actions=allow_actions, read_dsn=read_dsn, title=title, api=tokens)
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


def _make_token(name: str) -> None:
    from pgqueue.dashboard import hash_token, new_token

    if not name.isprintable() or ":" in name or not name.strip():
        raise UsageError(f"a name is of printable characters without a colon, got {name!r:.80}")
    token = new_token()
    typer.echo(f"{name}:viewer:{hash_token(token)}")
    say(f"the token of {name}, which is shown this once: {token}")


def _password() -> str:
    password = getpass.getpass("Password: ")
    if not password:
        raise UsageError("a password must not be empty")
    if password != getpass.getpass("Again: "):
        raise UsageError("the two passwords differ")
    return password
