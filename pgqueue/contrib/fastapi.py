"""FastAPI: a transaction that is committed before the answer goes out, and answers in place of our errors.

    Session = Annotated[AsyncSession, in_transaction(sessions.begin)]
    app = FastAPI(exception_handlers=exception_handlers)

Starlette takes the same `exception_handlers`. Extra `fastapi`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from pgqueue.errors import (
    DatabaseUnreachable,
    EnqueueLimit,
    JobNotFound,
    KeyTaken,
    QueueFull,
    UsageError,
    WorkflowNotFound,
)

try:
    from fastapi import Depends
    from fastapi.concurrency import contextmanager_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response
except ImportError as missing:
    raise UsageError("this needs FastAPI; run `pip install 'pgqueue-postgres[fastapi]'`") from missing

Opening = AbstractAsyncContextManager[Any] | AbstractContextManager[Any]
Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]

# Seconds: what a worker that hears nothing lets pass before it looks for jobs again.
COME_BACK_IN = 5


def in_transaction(begin: Callable[[], Opening]) -> Any:
    """A dependency: what `begin()` opens, committed before the answer is sent, and rolled back if the request raises.

    `begin` is that of an engine or a sessionmaker of SQLAlchemy, or `connection` of a pool of psycopg's; sync or async.
    It must not block: a sync one is entered and left in a thread, but called in the event loop. One request has one
    transaction, however many of its dependencies ask. A dependency of your own with `yield` commits after the answer:
    whoever has been answered may look before anything is there, and never hears of a COMMIT that failed.
    """

    async def opened() -> AsyncIterator[Any]:
        opening = begin()
        if not isinstance(opening, AbstractAsyncContextManager):
            opening = contextmanager_in_threadpool(opening)
        async with opening as conn:
            yield conn

    return Depends(opened, scope="function")


def _answering(status: int, detail: str | None = None, *, later: bool = False) -> Handler:
    """An answer in place of an error, with what the error says unless that is not for everybody."""
    headers = {"Retry-After": str(COME_BACK_IN)} if later else None

    async def answer(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": detail or str(error)}, status, headers)

    return answer


# For `FastAPI(exception_handlers=...)`, with handlers of your own as you like: `{**exception_handlers, Mine: answer}`.
exception_handlers: dict[int | type[Exception], Handler] = {
    JobNotFound: _answering(404),
    WorkflowNotFound: _answering(404),
    KeyTaken: _answering(409, "there is such a job already"),
    QueueFull: _answering(503, "too many jobs are waiting; come back later", later=True),
    EnqueueLimit: _answering(429, "too many jobs were asked for; come back later", later=True),
    DatabaseUnreachable: _answering(503, "the database cannot be reached; come back later", later=True),
}
