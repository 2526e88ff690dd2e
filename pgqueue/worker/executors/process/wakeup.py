"""Wakes a thread that waits in a selector."""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress


class Wakeup:
    """A pair of sockets: wake() from any thread, drain() in the thread that waits."""

    # Open from register() on.
    _writer: socket.socket
    _reader: socket.socket

    def __init__(self) -> None:
        self._woken = False

    def register(self, selector: selectors.BaseSelector) -> None:
        """Have the selector wake up for it; its key has no data then."""
        self._writer, self._reader = socket.socketpair()
        self._reader.setblocking(False)
        selector.register(self._reader, selectors.EVENT_READ, None)

    def wake(self) -> None:
        """Wake the thread; of many calls before it is awake one costs something."""
        if not self._woken:
            self._woken = True
            with suppress(OSError, AttributeError):
                self._writer.send(b"!")

    def drain(self) -> None:
        """It has been heard. What was asked before this is to be looked for after it."""
        with suppress(BlockingIOError):
            self._reader.recv(4096)
        # Only now: a call that came before the recv() left nothing behind, and is served after this.
        self._woken = False

    def close(self) -> None:
        """Close both ends."""
        self._writer.close()
        self._reader.close()
