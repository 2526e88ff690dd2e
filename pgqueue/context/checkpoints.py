"""Where an attempt goes on, and what it says of where the next one is to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pgqueue.codec import encode
from pgqueue.encryption import Kind, Place, decrypted
from pgqueue.errors import ArgumentError
from pgqueue.job import Claim
from pgqueue.store import progress
from pgqueue.store.line import Line

# Bytes of a checkpoint.
LARGEST_PLACE = 2**20


class Checkpoints:
    """Those of one attempt. `database()` is its line, `stands(False)` raises for one that is late."""

    def __init__(self, claim: Claim, database: Callable[[], Line], stands: Callable[[bool], None]) -> None:
        self._claim = claim
        self._database = database
        self._stands = stands
        # What an attempt before this one has said; when this one did, and what it only remembered since.
        self._found: tuple[Any] | None = None if claim.claim > 1 else (None,)
        self._kept_at: float | None = None
        self._last: str | None = None

    def found(self) -> Any:
        """What an attempt before this one said last, None if none did; read when it is first asked for."""
        if self._found is None:
            self._found = (self._database().finish(self._read(), "first write `await job.load_checkpoint()`"),)
        return self._found[0]

    def given(self, value: Any) -> None:
        """This was said by an attempt before: the database is not asked."""
        self._found = (value,)

    async def load(self) -> Any:
        """As found(), in the event loop of an async task."""
        if self._found is None:
            self._found = (await self._database().finish_async(self._read()),)
        return self._found[0]

    async def keep(self, text: str, every: float = 0.0) -> None:
        """Write one down; only remember it if the last one is not `every` seconds old."""
        now = time.monotonic()
        if self._kept_at is not None and now < self._kept_at + every:
            self._last = text
            return
        self._stands(await self._database().run(progress.checkpoint(self._claim, text)))
        self._kept_at, self._last = now, None

    async def keep_last(self) -> None:
        """Write down what was only remembered, if anything was."""
        if self._last is not None:
            await self.keep(self._last)

    async def _read(self) -> Any:
        line, question = self._database(), progress.checkpointed(self._claim.id)
        read = await (line.run(question) if line.transaction is None else line.run_within(question))
        if read is None:
            return None
        claim, value = read
        # A later attempt has said it.
        if claim >= self._claim.claim:
            self._stands(False)
        return decrypted(value, Place(Kind.CHECKPOINT, self._claim.id))


def place_of(value: object) -> str:
    """A checkpoint as JSON. Raises ArgumentError for what is not JSON, or too large."""
    text = encode(value, "checkpoint")
    if (size := len(text.encode())) > LARGEST_PLACE:
        raise ArgumentError(
            f"a checkpoint may have 1 MB, got {size / 2**20:.1f} MB; keep what is large in a table, and its id here"
        )
    return text
