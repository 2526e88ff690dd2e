"""Acts of people: written down in the transaction in which they are done, with who and why."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from pgqueue.store import audit, execute

if TYPE_CHECKING:
    import psycopg

VARIABLE = "PGQUEUE_WHO"
VIA = "cli"

Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, for the audit.")]


@dataclass(slots=True)
class Act:
    """Whether what was tried was done; what was not is not written down."""

    done: bool = True


@contextmanager
def acting(
    conn: psycopg.Connection[Any],
    action: str,
    *,
    on: str | None = None,
    job_ids: Sequence[UUID] = (),
    reason: str | None = None,
) -> Iterator[Act]:
    """A transaction in which something is done, and written into the audit. `on` is a name or a query."""
    act = Act()
    with conn.transaction():
        yield act
        if act.done:
            n = len(job_ids) or None
            execute(conn, audit.write(who(), VIA, action, filter_text=on, job_ids=job_ids, n=n, reason=reason))


def who() -> str:
    """Whom the audit names: the variable PGQUEUE_WHO, or the user of this machine."""
    if said := os.environ.get(VARIABLE):
        return said[:500]
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}" if hasattr(os, "getuid") else "somebody"
    return f"{user}@{socket.gethostname()}"
