"""What goes wrong, as people and shells see it: a message on standard error, and an exit code."""

from __future__ import annotations

from enum import IntEnum

import typer

from pgqueue.cli.output import paint
from pgqueue.errors import (
    AppError,
    DatabaseUnreachable,
    EmbeddedError,
    FeedFailed,
    FeedNotFound,
    HostExhausted,
    JobFailed,
    JobNotFound,
    PgqueueError,
    SchemaError,
    UsageError,
    WorkflowNotFound,
)
from pgqueue.printable import in_lines


class Exit(IntEnum):
    """The exit codes; a supervisor restarts on 75 and stays down on 78 (sysexits.h: TEMPFAIL, CONFIG)."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    INCONCLUSIVE = 5
    RETIRED = 75
    SCHEMA = 78


def exit_code(error: PgqueueError) -> Exit:
    """The exit code of a command that ended with this error."""
    match error:
        case UsageError() | AppError():
            return Exit.USAGE
        case HostExhausted():
            return Exit.RETIRED
        case DatabaseUnreachable() | EmbeddedError():
            return Exit.UNREACHABLE
        case JobNotFound() | FeedNotFound() | WorkflowNotFound():
            return Exit.NOT_FOUND
        case SchemaError():
            return Exit.SCHEMA
        case _:
            return Exit.FAILED


def report(error: PgqueueError) -> Exit:
    """Print an error for people; answers the exit code."""
    say_error(str(error))
    if isinstance(error, JobFailed | FeedFailed) and error.traceback:
        typer.echo(in_lines(error.traceback).rstrip(), err=True)
    return exit_code(error)


def say_error(message: str) -> None:
    """Print a message about something wrong."""
    typer.echo(f"{paint('Error:', 'red', err=True)} {in_lines(message)}", err=True)


def say(message: str) -> None:
    """Print a message for people on standard error, so that it never mixes with what programs read."""
    typer.echo(in_lines(message), err=True)
