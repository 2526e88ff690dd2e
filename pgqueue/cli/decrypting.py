"""`--decrypt`: what is encrypted of a job, for who has the keys and asks; the audit says who did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from pgqueue import encryption
from pgqueue.cli.acting import acting
from pgqueue.errors import UsageError

if TYPE_CHECKING:
    import psycopg

Decrypt = Annotated[
    bool, typer.Option("--decrypt", help=f"Decrypt it, with the keys of {encryption.KEYS}; the audit tells of that.")
]


def note_decrypted(conn: psycopg.Connection[Any], job_id: UUID, command: str, reason: str | None) -> None:
    """Write down who looks, before anything is shown. Raises UsageError without keys."""
    if not encryption.has_keys():
        raise UsageError(f"there are no keys to decrypt with; set {encryption.KEYS}, as to file:/etc/pgqueue/keys")
    with acting(conn, f"{command} --decrypt", job_ids=[job_id], reason=reason) as act:
        act.done = True
