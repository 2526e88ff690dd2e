"""Options that several commands share: each has one name, one meaning and one help text everywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import typer

from pgqueue.cli.values import duration, seconds

VARIABLE = "PGQUEUE_DSN"


def new_group(callback: Callable[..., None]) -> typer.Typer:
    """A group of commands; its callback's docstring is its help."""
    return typer.Typer(
        callback=callback,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _dsn_of(context: typer.Context, value: str | None) -> str | None:
    """A --dsn after the command wins over one before it, and that over the variable."""
    above = context.parent
    while value is None and above is not None:
        value = above.params.get("dsn")
        above = above.parent
    return value or os.environ.get(VARIABLE) or None


def _split(names: list[str]) -> list[str]:
    return [part.strip() for name in names for part in name.split(",") if part.strip()]


Dsn = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        metavar="DSN",
        callback=_dsn_of,
        help=f"The database: postgresql://..., or embedded: for one of its own. Else the variable {VARIABLE}.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
App = Annotated[
    list[str],
    typer.Option("--app", "-A", metavar="MODULE", callback=_split, help="A module whose tasks may run; repeatable."),
]
Middleware = Annotated[
    list[str],
    typer.Option("--middleware", metavar="MODULE:NAME", callback=_split, help="Runs round each job; repeatable."),
]
Queue = Annotated[str | None, typer.Option("--queue", "-q", metavar="NAME", help="Only jobs of this queue.")]
Target = Annotated[str | None, typer.Option("--target", "-t", metavar="MODULE:FUNCTION", help="Only this task's jobs.")]
JobId = Annotated[UUID, typer.Argument(metavar="ID", help="The job's id.")]
JobIds = Annotated[list[UUID], typer.Argument(metavar="ID...", help="The jobs' ids.")]


def duration_option(name: str, meaning: str) -> Any:
    """An option that takes 90, 90s, 5m, 1h, 2d, as a timedelta."""
    return typer.Option(name, metavar="TIME", parser=duration, show_default=False, help=meaning)


def seconds_option(name: str, meaning: str) -> Any:
    """An option that takes 90, 90s, 5m, 1h, 2d, as seconds."""
    return typer.Option(name, metavar="TIME", parser=seconds, show_default=False, help=meaning)
