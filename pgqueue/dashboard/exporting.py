"""Jobs that a search finds as lines of JSON: as many as there are, a bounded batch at a time, without their secrets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from pgqueue.dashboard.auth import User
from pgqueue.dashboard.database import Busy, Conn, Reads, seen
from pgqueue.dashboard.pages.job_filters import as_shown
from pgqueue.dashboard.pages.page import Asked
from pgqueue.dashboard.pages.searched import now, query_of
from pgqueue.errors import QueryError
from pgqueue.leaving_out import HIDDEN
from pgqueue.record import Job
from pgqueue.redaction import Redaction
from pgqueue.search import Query
from pgqueue.store import execute, searching, secrecy
from pgqueue.store.listing import TOO_LARGE

EXPORT = "/export"
# Jobs of a batch; and exports at once, each of which holds a connection while it looks.
BATCH, MOST = 500, 2
# Seconds for whoever reads to take the next part.
PATIENCE = 60.0
KIND = "application/jsonl; charset=utf-8"
HEADERS = {"content-disposition": 'attachment; filename="jobs.jsonl"', "x-accel-buffering": "no"}
# A batch in which nothing is found looks so many times further.
FURTHER = 3


class _Export(StreamingResponse):
    """An export on its way, which counts from its first byte to its last; one that nobody reads on ends."""

    def __init__(self, exports: Exports, lines: AsyncIterator[bytes]) -> None:
        super().__init__(lines, media_type=KIND, headers=HEADERS)
        self._exports = exports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""

        async def patient(message: Message) -> None:
            await asyncio.wait_for(send(message), PATIENCE)

        # A TimeoutError is an OSError, which Starlette takes for the latter.
        with self._exports.open(), suppress(TimeoutError, ClientDisconnect):
            await super().__call__(scope, receive, patient)


class Exports:
    """Answers with streams of jobs."""

    def __init__(self, reads: Reads, redaction: Redaction) -> None:
        self._reads, self._redaction = reads, redaction
        self._open = 0

    async def answer(self, request: Request) -> Response:
        """The jobs that the address asks for, newest first. Raises Busy."""
        user: User = request.scope["pgqueue.user"]
        if not user.may("export"):
            return PlainTextResponse(f"You may not: the role {user.role} lacks the permission export.\n", 403)
        if self.is_full:
            return _too_many()
        asked = Asked(user, dict(request.query_params), {}, self._redaction)
        text = request.query_params.get("q", "").strip()
        try:
            query = await self._reads.ask(lambda conn: query_of(asked, text, now(conn)))
        except QueryError as error:
            return PlainTextResponse(f"{error}\n", 422)
        known = await self._reads.ask(
            lambda conn: seen(conn, lambda conn: self._redaction.knowing(execute(conn, secrecy.every())))
        )
        asked = replace(asked, redaction=known)
        if request.method == "HEAD":
            return Response(media_type=KIND, headers=HEADERS)
        # Others may have come while the database was asked.
        return _too_many() if self.is_full else _Export(self, self._lines(asked, query))

    @property
    def is_full(self) -> bool:
        """Whether there are as many as there may be."""
        return self._open >= MOST

    @contextmanager
    def open(self) -> Iterator[None]:
        """Count as one of them."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def _lines(self, asked: Asked, query: Query) -> AsyncIterator[bytes]:
        before: UUID | None = None
        while True:
            at = before
            lines, before = await self._reads.ask(lambda conn, at=at: self._batch(conn, asked, query, at))  # type: ignore[misc]
            if lines:
                yield lines
            if before is None:
                return

    def _batch(self, conn: Conn, asked: Asked, query: Query, before: UUID | None) -> tuple[bytes, UUID | None]:
        answer = searching.page(
            conn, query, before=before, limit=BATCH, budgets=FURTHER, shown=secrecy.as_searched(asked.redaction)
        )
        if answer is None:
            # What was sent ends without its last line: whoever reads it hears that it is not whole.
            raise Busy
        jobs, found = answer
        seen = (job for job in jobs if asked.user.sees(job.queue))
        text = "".join(f"{_line(job, asked)}\n" for job in seen)
        return text.encode(errors="replace"), found.next


def _too_many() -> Response:
    return PlainTextResponse(f"{MOST} exports are under way; wait for one to end.\n", 503)


def _line(job: Job, asked: Asked) -> str:
    clean = as_shown(job, asked.redaction)
    told = {field.name: getattr(clean, field.name) for field in fields(Job)}
    told["args"] = _args(job.target, job.args, asked) if asked.user.may("view_args") else None
    told["labels"] = dict(_labels(job, asked.redaction)) or None
    return json.dumps(told, ensure_ascii=False, default=_plain)


def _args(target: str, args: Any, asked: Asked) -> Any:
    """Arguments without their secrets; as a text, where Python cannot read them."""
    if args == TOO_LARGE:
        return TOO_LARGE
    if isinstance(args, str):
        return asked.redaction.of_args(target, args).text
    return asked.redaction.of_value(target, args)[0]


def _labels(job: Job, redaction: Redaction) -> Iterator[tuple[str, str]]:
    if isinstance(job.labels, str):
        yield "", redaction.of_json(job.labels).text
        return
    for key, value in (job.labels or {}).items():
        yield key, HIDDEN if redaction.hides(key) else str(value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
