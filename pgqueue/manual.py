"""What people answer in place of code: jobs that fell back to a human wait here until one says what came of them.

Each function runs one statement on the caller's connection, in the caller's transaction; with an async connection it
returns an awaitable.
"""

from __future__ import annotations

import getpass
from collections.abc import Awaitable
from typing import Any, overload
from uuid import UUID

from pgqueue import encryption
from pgqueue.codec import encode
from pgqueue.encryption import Kind
from pgqueue.errors import UsageError
from pgqueue.naming import JobRef, id_of
from pgqueue.options import check_integer
from pgqueue.record import ManualJob
from pgqueue.store import Statement, manual
from pgqueue.store.asking import ask, required
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection, is_async
from pgqueue.store.kept_values import kept_value
from pgqueue.store.sync_or_async import answer, at_once

VIA = "python"


@overload
def manual_jobs(conn: SyncConnection, *, limit: int = 50, after: ManualJob | None = None) -> list[ManualJob]: ...
@overload
def manual_jobs(
    conn: AsyncConnection, *, limit: int = 50, after: ManualJob | None = None
) -> Awaitable[list[ManualJob]]: ...
def manual_jobs(
    conn: AnyConnection, *, limit: int = 50, after: ManualJob | None = None
) -> list[ManualJob] | Awaitable[list[ManualJob]]:
    """The jobs that wait for a human, the longest first: at most `limit`, behind `after`, the last one of those before.

    Raises OptionError. O(limit log n), however many wait.
    """
    check_integer("limit", limit, 1, 10_000)
    return ask(conn, manual.page(limit, None if after is None else (after.since, after.job.id)))


@overload
def manual_done(conn: SyncConnection, job_id: JobRef, result: object = None, *, who: str | None = None) -> None: ...
@overload
def manual_done(
    conn: AsyncConnection, job_id: JobRef, result: object = None, *, who: str | None = None
) -> Awaitable[None]: ...
def manual_done(
    conn: AnyConnection, job_id: JobRef, result: object = None, *, who: str | None = None
) -> Awaitable[None] | None:
    """Let a job that waits for a human succeed, in the transaction open on `conn`: `result` is what result() answers.

    `who` stands in the audit; unsaid, the user of this machine. Raises JobNotFound, ArgumentError if the result is not
    JSON, and UsageError if the job does not wait for a human: then nothing was changed. O(log n).
    """
    text = encode(result, "result")
    if not encryption.is_on():
        return ask(conn, _answered(job_id, manual.done(id_of(job_id), text, who or _somebody(), VIA)))
    done = _done(conn, id_of(job_id), text, who or _somebody())
    return done if is_async(conn) else at_once(done)


async def _done(conn: AnyConnection, job_id: UUID, text: str, who: str) -> None:
    kept = await kept_value(conn, job_id, Kind.RESULT, text)
    await answer(ask(conn, _answered(job_id, manual.done(job_id, kept, who, VIA))))


@overload
def manual_fail(conn: SyncConnection, job_id: JobRef, *, why: str | None = None, who: str | None = None) -> None: ...
@overload
def manual_fail(
    conn: AsyncConnection, job_id: JobRef, *, why: str | None = None, who: str | None = None
) -> Awaitable[None]: ...
def manual_fail(
    conn: AnyConnection, job_id: JobRef, *, why: str | None = None, who: str | None = None
) -> Awaitable[None] | None:
    """Let a job that waits for a human be dead, reason `given up`, in the transaction open on `conn`.

    `why` is its error and, with `who`, stands in the audit. Raises JobNotFound, and UsageError if the job does not wait
    for a human: then nothing was changed. O(log n).
    """
    return ask(conn, _answered(job_id, manual.fail(id_of(job_id), why, who or _somebody(), VIA)))


def _answered(job_id: JobRef, statement: Statement[manual.Answered | None]) -> Statement[None]:
    wanted = id_of(job_id)
    found = required(statement, wanted)

    def read(rows: Any) -> None:
        answered = found.read(rows)
        if not answered.done:
            raise UsageError(f"job {wanted} does not wait for a human, it is {answered.state}; nothing was changed")

    return Statement(statement.sql, statement.params, read)


def _somebody() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
