"""Why a job is where it is, and why a queue does not drain: what `pgqueue.explain()` in the database answers.

Each function runs one statement in the transaction open on `conn`; with an async connection it returns an awaitable.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, overload

from pgqueue.errors import JobNotFound, OptionError
from pgqueue.naming import JobRef, id_of
from pgqueue.options import check_name
from pgqueue.record import Explanation
from pgqueue.store import Statement, explaining
from pgqueue.store.asking import ask
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection


@overload
def explain(conn: SyncConnection, job_id: JobRef) -> Explanation: ...
@overload
def explain(conn: AsyncConnection, job_id: JobRef) -> Awaitable[Explanation]: ...
def explain(conn: AnyConnection, job_id: JobRef) -> Explanation | Awaitable[Explanation]:
    """Say why a job is where it is: `.headline` is the answer, `.findings` all that was looked at.

    Changes nothing. Raises JobNotFound if it never committed, or its history has been pruned. Reads a bounded number of
    rows, whatever there is.
    """
    wanted = id_of(job_id)
    statement = explaining.job(wanted)

    def read(rows: Any) -> Explanation:
        found = statement.read(rows)
        if found is None:
            raise JobNotFound(wanted)
        return found

    return ask(conn, Statement(statement.sql, statement.params, read))


@overload
def explain_queue(conn: SyncConnection, queue: str) -> Explanation: ...
@overload
def explain_queue(conn: AsyncConnection, queue: str) -> Awaitable[Explanation]: ...
def explain_queue(conn: AnyConnection, queue: str) -> Explanation | Awaitable[Explanation]:
    """Say why a queue does not drain, as explain() does for a job; of a queue without jobs that it is empty.

    Raises OptionError.
    """
    if queue is None:
        raise OptionError("queue must be a name, got None")
    check_name("queue", queue)
    return ask(conn, explaining.queue(queue))
