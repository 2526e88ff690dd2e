"""What the jobs of a node returned, read page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

from pgqueue import encryption
from pgqueue.sealing import opened
from pgqueue.store import workflow_results
from pgqueue.store.line import Line
from pgqueue.store.workflow_results import FIRST, Page, Place

_INSTEAD = "write `async for` in place of `for`"


class Gathered:
    """The results, to be iterated as often as wanted: `for`, in an async task `async for`. Raises CodecError."""

    def __init__(self, job_id: UUID, node: str | None, line: Line) -> None:
        self._job_id = job_id
        self._node = node
        self._line = line

    def __iter__(self) -> Iterator[Any]:
        after: Place | None = FIRST
        while after is not None:
            page = self._line.finish(self._page(after), _INSTEAD)
            yield from (_returned(*each) for each in page.results)
            after = page.last

    async def __aiter__(self) -> AsyncIterator[Any]:
        after: Place | None = FIRST
        while after is not None:
            page = await self._line.finish_async(self._page(after))
            for each in page.results:
                yield _returned(*each)
            after = page.last

    async def _page(self, after: Place) -> Page:
        return await self._line.run(workflow_results.gathered(self._job_id, self._node, after))


def _returned(job_id: UUID, result: Any) -> Any:
    return opened(encryption.decrypted(result, encryption.Place(encryption.Kind.RESULT, job_id)))
