"""Open pages are kept fresh by one poller: it asks for each once, however many browsers show it, and tells of changes.

With no page open, or every tab hidden, nothing is asked. A page whose question is slow is asked for less often, and all
of them together for a twenty-fifth of the time at most: the database is left to the jobs, however large it is.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from datetime import UTC, datetime
from weakref import WeakSet

from pgqueue.dashboard.rendering import Regions
from pgqueue.errors import PgqueueError

PERIODS = (1, 2, 5, 15, 60)
USUAL = 2
# Seconds that a question may take, and how often it is asked at most if it takes longer.
SLOW = ((0.8, 30), (0.2, 5))
# For each second of asking so many without. A tenth of the time cost a drain on two cores 7 % (bench/onlookers.py).
REST = 24.0
MOST_STREAMS = 500
# Proxies cut what is silent for longer.
SILENCE = 15.0

Look = Callable[[], Awaitable[Regions]]


class Stream:
    """What one open page hears: which regions have changed, and of when what it shows is."""

    def __init__(self, period: int, known: Mapping[str, str]) -> None:
        self.period = period
        self._known = dict(known)
        self._changed: set[str] = set()
        self._said: dict[str, str] = {}
        self._news = asyncio.Event()

    def show(self, regions: Regions, *, slow: bool) -> None:
        """Tell of what differs from what the page shows."""
        self._changed |= {name for name, digest in regions.hashes.items() if self._known.get(name) != digest}
        self._known = dict(regions.hashes)
        self._said.pop("trouble", None)
        self._said["beat"] = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "slow": slow})
        self._news.set()

    def complain(self, trouble: str) -> None:
        """Tell why there is nothing newer."""
        self._said["trouble"] = json.dumps(trouble)
        self._news.set()

    async def frames(self) -> AsyncIterator[str]:
        """Server-sent events, as long as somebody listens."""
        yield "retry: 3000\n\n"
        while True:
            try:
                await asyncio.wait_for(self._news.wait(), SILENCE)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            self._news.clear()
            changed, self._changed = self._changed, set()
            said, self._said = self._said, {}
            if changed:
                yield f"event: changed\ndata: {','.join(sorted(changed))}\n\n"
            for event, data in said.items():
                yield f"event: {event}\ndata: {data}\n\n"


class Watch:
    """One page as one kind of user sees it, and who shows it."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.streams: set[Stream] = set()
        self.due = self.seen = 0.0
        self.regions: Regions | None = None

    @property
    def period(self) -> int:
        """Seconds between two looks, as the most impatient wishes."""
        return min((stream.period for stream in self.streams), default=USUAL)


class Poller:
    """Looks at what open pages show, one after the other."""

    def __init__(self) -> None:
        self._watches: dict[Hashable, Watch] = {}
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._rested = 0.0
        # Weakly: one whose answer was never begun, because its browser has gone, gives its place back.
        self._admitted: WeakSet[Stream] = WeakSet()

    def admit(self, stream: Stream) -> bool:
        """Take a place for a stream, until watch() of it ends; False if there are as many as there may be."""
        if len(self._admitted) >= MOST_STREAMS:
            return False
        self._admitted.add(stream)
        return True

    def shown(self, key: Hashable, age: float) -> Regions | None:
        """The regions of a page that somebody watches, as of the last look; None if that is so many seconds back."""
        watch = self._watches.get(key)
        return None if watch is None or time.monotonic() - watch.seen > age else watch.regions

    async def watch(self, key: Hashable, look: Look, stream: Stream) -> AsyncIterator[str]:
        """The events of a page for one stream, which counts as open until the caller ends it."""
        watch = self._watches.setdefault(key, Watch(look))
        watch.streams.add(stream)
        watch.due = min(watch.due, time.monotonic())
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            async for frame in stream.frames():
                yield frame
        finally:
            self._admitted.discard(stream)
            watch.streams.discard(stream)
            if not watch.streams:
                self._watches.pop(key, None)
            self._wake.set()

    async def _run(self) -> None:
        while self._watches:
            watch = min(self._watches.values(), key=lambda watch: watch.due)
            left = max(watch.due, self._rested) - time.monotonic()
            if left <= 0:
                await self._look(watch)
                continue
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), left)
            except TimeoutError:
                continue

    async def _look(self, watch: Watch) -> None:
        begun = time.monotonic()
        try:
            watch.regions = await watch.look()
        except Exception as error:
            # Whatever it is: the pages of others go on.
            watch.regions = None
            said = str(error) if isinstance(error, PgqueueError) else "this page could not be shown"
            for stream in watch.streams:
                stream.complain(said)
        watch.seen = time.monotonic()
        took = watch.seen - begun
        self._rested = watch.seen + REST * took
        pause = next((pause for limit, pause in SLOW if took > limit), 0)
        watch.due = time.monotonic() + max(watch.period, pause)
        if watch.regions is not None:
            for stream in watch.streams:
                stream.show(watch.regions, slow=pause > watch.period)
