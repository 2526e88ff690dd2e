"""What the database says, for Prometheus: as `pgqueue exporter`, for who may look at all queues."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pgqueue.metrics import families
from pgqueue.metrics.database import DatabaseNumbers


class Scraped:
    """Answers /metrics; the database is asked on a connection of its own, at most once in five seconds."""

    def __init__(self, dsn: str | None) -> None:
        self._numbers = None if dsn is None else DatabaseNumbers(dsn)

    async def answer(self, request: Request) -> Response:
        """The numbers; 403 for who sees some queues alone, whose numbers are not told apart."""
        if request.scope["pgqueue.user"].queues is not None:
            return PlainTextResponse("metrics are of all queues, and you see some\n", 403)
        if self._numbers is None:
            return PlainTextResponse("metrics need a DSN, and here is a pool; run `pgqueue exporter`\n", 404)
        if not families.is_there():
            return PlainTextResponse("metrics need `pip install 'pgqueue-postgres[prometheus]'`\n", 501)
        accept = request.headers.get("accept", "")
        kind, body = await asyncio.to_thread(families.rendered, self._numbers.collected, accept)
        return Response(body, headers={"content-type": kind})

    def close(self) -> None:
        """Let go of the connection."""
        if self._numbers is not None:
            self._numbers.close()
