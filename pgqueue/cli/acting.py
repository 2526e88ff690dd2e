"""Who acts in the shell, as the audit names them."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from pgqueue.acting import Act, Actor, audited
from pgqueue.store import audit, execute

if TYPE_CHECKING:
    import psycopg

VARIABLE = "PGQUEUE_WHO"
VIA = "cli"

Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, for the audit.")]


def actor(reason: str | None = None) -> Actor:
    """Who works here, and why."""
    return Actor(who(), VIA, reason)


def acting(
    conn: psycopg.Connection[Any],
    action: str,
    *,
    on: str | None = None,
    job_ids: Sequence[UUID] = (),
    reason: str | None = None,
) -> AbstractContextManager[Act]:
    """A transaction in which something is done, and written into the audit. `on` is a name or a query."""
    return audited(conn, actor(reason), action, on=on, job_ids=job_ids)


def note_end(conn: psycopg.Connection[Any], action: str, n: int, *, on: str | None, reason: str | None) -> None:
    """Write down on how many jobs an act has come to its end that is made of many transactions."""
    execute(conn, audit.write(who(), VIA, f"{action}: done", filter_text=on, n=n, reason=reason))


def who() -> str:
    """Whom the audit names: the variable PGQUEUE_WHO, or the user of this machine."""
    if said := os.environ.get(VARIABLE):
        return said[:500]
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}" if hasattr(os, "getuid") else "somebody"
    return f"{user}@{socket.gethostname()}"
