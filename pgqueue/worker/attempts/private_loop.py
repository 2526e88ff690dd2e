"""An event loop for the coroutines of one slot, one job after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

from pgqueue.worker.attempts.loop_state import LoopState

T = TypeVar("T")

# How long what a job left running in the loop may take to be cancelled, seconds.
_PATIENCE = 1.0


class PrivateLoop:
    """Runs a coroutine to its end, and cancels what it left running: the next job finds the loop empty."""

    # Of the runner's loop.
    _state: LoopState

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's value, or what it raised."""
        if self._runner is None or self._runner.get_loop().is_closed():
            self._runner = asyncio.Runner()
            self._state = LoopState(self._runner.get_loop())
        try:
            return self._runner.run(coroutine, context=copy_context())
        finally:
            self._sweep(self._runner.get_loop())
            self._state.put_back()

    def close(self) -> None:
        """Close the loop."""
        if self._runner is not None:
            self._runner.close()
        self._runner = None

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop.is_closed() or not (left := asyncio.all_tasks(loop)):
            return
        for each in left:
            each.cancel()
        _, stubborn = loop.run_until_complete(asyncio.wait(left, timeout=_PATIENCE))
        if stubborn:
            self._runner = None
