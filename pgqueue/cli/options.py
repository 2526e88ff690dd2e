"""Options that several commands share: each has one name, one meaning and one help text everywhere."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import typer.core

from pgqueue.cli.completing import queue_names, task_names
from pgqueue.cli.shapes import Shape, choose_shape
from pgqueue.cli.values import duration, one_of, seconds, seconds_or_off

E = TypeVar("E", bound=StrEnum)

VARIABLE = "PGQUEUE_DSN"
TENANT = "PGQUEUE_TENANT"


class Group(typer.core.TyperGroup):
    """Commands, whose list is the answer when none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help, and end well, if there is nothing to parse."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()
        return super().parse_args(ctx, args)


def listing(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command with two more options, --wide and -x, which say in what shape print_list() prints."""

    @functools.wraps(function)
    def command(*args: Any, wide: bool = False, expanded: bool = False, **options: Any) -> Any:
        choose_shape(Shape.EXPANDED if expanded else Shape.WIDE if wide else Shape.TABLE)
        return function(*args, **options)

    signature = inspect.signature(function, eval_str=True)
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=option)
        for name, option in (("wide", Wide), ("expanded", Expanded))
    ]
    command.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *more])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in command.__signature__.parameters.values()}  # type: ignore[attr-defined]
    return command


def new_group(callback: Callable[..., None], *, completion: bool = False, cls: type[Group] = Group) -> typer.Typer:
    """A group of commands; its callback's docstring is its help. `completion` is for the whole of them."""
    return typer.Typer(
        cls=cls,
        callback=callback,
        add_completion=completion,
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


def _dsns_of(context: typer.Context, values: list[str]) -> list[str]:
    """As _dsn_of(), where several may be named; the variable is asked for by named_dsns()."""
    above = context.parent
    while not values and above is not None:
        given = above.params.get("dsn")
        # Above it may be the variable's.
        values = [given] if given and given != os.environ.get(VARIABLE) else []
        above = above.parent
    return values


def _split(names: list[str]) -> list[str]:
    return [part.strip() for name in names for part in name.split(",") if part.strip()]


def _act_for(context: typer.Context, value: str | None) -> str | None:
    """Have the connections of this command act for a tenant."""
    if value is not None:
        before = os.environ.get(TENANT)
        os.environ[TENANT] = value
        context.call_on_close(lambda: os.environ.update({TENANT: before}) if before else os.environ.pop(TENANT, None))
    return value


Dsn = Annotated[
    str | None,
    typer.Option(
        "--dsn",
        metavar="DSN",
        callback=_dsn_of,
        help=f"The database: postgresql://..., or embedded: for one of its own. Else the variable {VARIABLE}.",
    ),
]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant", metavar="NAME", callback=_act_for, help=f"Act for this tenant alone. Else the variable {TENANT}."
    ),
]
Dsns = Annotated[
    list[str],
    typer.Option(
        "--dsn",
        metavar="DSN",
        callback=_dsns_of,
        help=f"The database: postgresql://..., or embedded:; repeatable. Else the variable {VARIABLE}.",
    ),
]
DsnFile = Annotated[
    Path | None,
    typer.Option(
        "--dsn-file",
        metavar="FILE",
        envvar="PGQUEUE_DSN_FILE",
        show_envvar=False,
        help="A file of databases, a DSN a line. Else the variable PGQUEUE_DSN_FILE.",
    ),
]
Wide = Annotated[bool, typer.Option("--wide", help="Cut nothing, however wide the terminal is.")]
Expanded = Annotated[bool, typer.Option("--expanded", "-x", help="A line for each value, not a table.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
App = Annotated[
    list[str],
    typer.Option("--app", "-A", metavar="MODULE", callback=_split, help="A module whose tasks may run; repeatable."),
]
Include = Annotated[
    list[str],
    typer.Option("--include", metavar="MODULE", callback=_split, help="One more module, as it is; repeatable."),
]
TasksOnly = Annotated[bool, typer.Option("--tasks-only", help="Only @tasks, no plain functions.")]
JobRole = Annotated[
    str | None,
    typer.Option("--job-role", metavar="ROLE", help="Transactional jobs have the rights of this role of the worker's."),
]
JobDsn = Annotated[
    str | None,
    typer.Option(
        "--job-dsn",
        metavar="DSN",
        envvar="PGQUEUE_JOB_DSN",
        show_envvar=False,
        help="Jobs log in as this, to the same database.",
    ),
]
Middleware = Annotated[
    list[str],
    typer.Option("--middleware", metavar="MODULE:NAME", callback=_split, help="Runs round each job; repeatable."),
]
Queue = Annotated[
    str | None,
    typer.Option("--queue", "-q", metavar="NAME", autocompletion=queue_names, help="Only jobs of this queue."),
]
Target = Annotated[
    str | None,
    typer.Option("--target", "-t", metavar="MODULE:FUNCTION", autocompletion=task_names, help="Only this task's jobs."),
]
Most = Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, max=10_000, help="At most so many.")]
BeforeNumber = Annotated[
    int | None, typer.Option("--before", metavar="NUMBER", help="Only lower numbers: the next page.")
]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id, or its first digits.")]
JobIds = Annotated[list[str], typer.Argument(metavar="ID...", help="The jobs' ids, or their first digits.")]


def choice_option(*names: str, of: type[E], help: str) -> Any:  # noqa: A002, typer's word
    """An option that takes one of an enum's values."""
    return typer.Option(*names, metavar="|".join(of), parser=one_of(of), show_default=False, help=help)


def duration_option(name: str, meaning: str) -> Any:
    """An option that takes 90, 90s, 5m, 1h, 2d, as a timedelta."""
    return typer.Option(name, metavar="TIME", parser=duration, show_default=False, help=meaning)


def seconds_option(name: str, meaning: str) -> Any:
    """An option that takes 90, 90s, 5m, 1h, 2d, as seconds."""
    return typer.Option(name, metavar="TIME", parser=seconds, show_default=False, help=meaning)


def seconds_or_off_option(name: str, meaning: str) -> Any:
    """As seconds_option(); `off` is infinite."""
    return typer.Option(name, metavar="TIME|off", parser=seconds_or_off, show_default=False, help=meaning)
