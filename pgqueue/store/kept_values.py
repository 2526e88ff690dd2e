"""What people and other code write of a job, as it is kept: encrypted, where what is written of its task's jobs is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pgqueue import encryption
from pgqueue.encryption import Kind, Place
from pgqueue.store.asking import ask
from pgqueue.store.statement import Statement
from pgqueue.store.sync_or_async import answer


async def kept_value(conn: Any, job_id: UUID, kind: Kind, text: str, detail: str = "") -> str:
    """A JSON text about a job that has not ended. Raises EncryptionError, KeyringError.

    Where anything is encrypted, the database is asked for the job's target. O(log n).
    """
    if not encryption.is_on():
        return text
    target: str | None = await answer(ask(conn, _target_of(job_id)))
    if target is None or not encryption.is_encrypted(target):
        return text
    return encryption.encrypted(text, Place(kind, job_id, detail))


def _target_of(job_id: UUID) -> Statement[str | None]:
    sql = "select target from pgqueue.jobs where id operator(pg_catalog.=) $1::pg_catalog.uuid"
    return Statement(sql, (job_id,), lambda rows: rows[0][0] if rows else None)
