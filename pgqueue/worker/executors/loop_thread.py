"""An event loop with a thread of its own, which outlives whatever the coroutines in it raise."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from pgqueue.events import Observer, Trouble

# How long the loop may take to end a coroutine, or itself; seconds.
_PATIENCE = 1.0


class LoopThread:
    """The loop runs from start() to close(); `closed` is called in its thread when it turns no more."""

    def __init__(self, observe: Observer, closed: Callable[[], None]) -> None:
        self._observe = observe
        self._closed = closed
        self._closing = False
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._turn, name="pgqueue-loop", daemon=True)

    def start(self) -> None:
        """Turn."""
        self.thread.start()

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function in the loop; from any thread."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(function, *args)

    def wait_for(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the loop, and wait a moment for it: the loop may be blocked."""
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(_PATIENCE)

    def close(self) -> None:
        """End the loop; its thread is left behind if a coroutine blocks it."""
        self._closing = True
        self.call(self.loop.stop)
        self.thread.join(_PATIENCE)

    def _turn(self) -> None:
        asyncio.set_event_loop(self.loop)
        while not self._closing:
            try:
                self.loop.run_forever()
            except BaseException as error:
                # asyncio lets SystemExit and KeyboardInterrupt of any coroutine through; the loop must go on.
                self._observe(Trouble("async executor", repr(error), "a coroutine that a task had started raised it"))
        self._closed()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
