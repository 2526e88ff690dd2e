"""Whether the database answers, for whoever asks without saying who they are: asked seldom, however many ask."""

from __future__ import annotations

import asyncio
import time

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pgqueue.dashboard.database import Reads, is_reachable
from pgqueue.errors import PgqueueError

# Seconds that the database has, and for which its answer is good.
PATIENCE, GOOD_FOR = 0.5, 0.5
# Questions under way: more would take the places of those who are known.
MOST = 2


class Readiness:
    """Answers /readyz."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._is_ready = False
        self._until = 0.0
        self._under_way = 0

    async def answer(self, _request: Request) -> Response:
        """200 if the database answers, or did a moment ago."""
        if time.monotonic() >= self._until and self._under_way < MOST:
            self._under_way += 1
            try:
                self._is_ready = await self._asked()
                self._until = time.monotonic() + GOOD_FOR
            finally:
                self._under_way -= 1
        if self._is_ready:
            return PlainTextResponse("ok\n")
        return PlainTextResponse("the database does not answer\n", 503)

    async def _asked(self) -> bool:
        try:
            return await asyncio.wait_for(self._reads.ask(is_reachable), PATIENCE)
        except (PgqueueError, TimeoutError):
            return False
