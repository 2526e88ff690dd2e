"""The command `pgqueue`: its groups, and the one way in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer

from pgqueue.cli.errors import report
from pgqueue.cli.late import LateCommands
from pgqueue.cli.options import Dsn, Group, Tenant, new_group
from pgqueue.cli.secrets import hide_secrets
from pgqueue.errors import PgqueueError
from pgqueue.habits import OF_COMMANDS
from pgqueue.process_end import end_process, exit_code_of
from pgqueue.version import __version__

# Where each command is: a module of pgqueue.cli, and a name in it, a function's or a group's. One that is called costs
# its own module; help lists them in this order.
COMMANDS = {
    "migrate": "migrate:migrate",
    "worker": "worker:worker",
    "enqueue": "enqueue:enqueue",
    "feed": "feed:feed",
    "import": "importing:import_jobs",
    "status": "status:status",
    "at": "at:at",
    "top": "top.command:top",
    "events": "events:events",
    "exporter": "exporter:exporter",
    "dashboard": "dashboard:dashboard",
    "demo": "demo:demo",
    "doctor": "doctor:doctor",
    "verify": "verify:verify",
    "bench": "bench:bench",
    "jobs": "jobs:group",
    "jobs explain": "explain:explain_job",
    "signal": "durable:signal",
    "steps": "durable:steps",
    "fork": "durable:fork",
    "dead": "dead:group",
    "manual": "manual:group",
    "causes": "causes:group",
    "workflows": "workflows:group",
    "queues": "queues:group",
    "queues set": "queue_settings:set_settings",
    "queues unset": "queue_settings:unset",
    "queues show": "queue_settings:show",
    "queues explain": "explain:explain_queue",
    "queues whatif": "whatif:whatif",
    "limits": "limits:group",
    "routes": "routes:group",
    "workers": "workers:group",
    "schedules": "schedules:group",
    "tasks": "tasks:group",
    "feeds": "feeds:group",
    "effects": "effects:group",
    "alerts": "alerts:group",
    "alerts channels": "alert_channels:group",
    "alerts rules": "alert_rules:group",
    "tenants": "tenants:group",
    "operations": "operations:group",
    "audit": "audit:group",
    "erase": "erase:erase",
    "roles": "roles:group",
    "index": "indexes:group",
    "keys": "keys:group",
    "keys rotate": "key_rotation:rotate",
    "keys status": "key_rotation:status",
    "db": "db:group",
}


def run() -> NoReturn:
    """Be the whole of a process: main(), and an end in time, whatever jobs have left running."""
    try:
        main()
    except SystemExit as end:
        end_process(exit_code_of(end))
    except Exception:
        sys.excepthook(*sys.exc_info())
        end_process(1)
    end_process(0)


def main(words: Sequence[str] | None = None, *, dsn: str | None = None, name: str | None = None) -> None:
    """Run the command that the process was started with, or that of `words`, and exit with its code.

    `dsn` holds where no --dsn is given, before PGQUEUE_DSN; `name` is what help calls the command.
    """
    for stream in (sys.stdout, sys.stderr):
        # Names and errors come from everywhere; a terminal that cannot show a letter must not end the command.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(hide_secrets() if words is None else words, prog_name=name, default_map=dsn and {"dsn": dsn})
    except PgqueueError as error:
        sys.exit(report(error))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pgqueue {__version__}")
        raise typer.Exit


def _pgqueue(
    dsn: Dsn = None,
    tenant: Tenant = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A transactional job queue that lives in the PostgreSQL you already run."""


class _Commands(Group):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = LateCommands(COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is meant; for the word of another queue, what to say."""
        if args[0] not in self.commands and (ours := OF_COMMANDS.get(args[0])):
            ctx.fail(f"there is no command {args[0]!r}: {ours}")
        return super().resolve_command(ctx, args)


app = new_group(_pgqueue, completion=True, cls=_Commands)
