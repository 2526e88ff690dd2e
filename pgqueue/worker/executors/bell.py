"""Wakes a thread that waits in a selector."""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress


class Bell:
    """A pair of sockets: ring() from any thread, answer() in the thread that waits."""

    # Open from hang() on.
    _rope: socket.socket
    _bell: socket.socket

    def __init__(self) -> None:
        self._rung = False

    def hang(self, selector: selectors.BaseSelector) -> None:
        """Have the selector wake up when it rings; its key has no data then."""
        self._rope, self._bell = socket.socketpair()
        self._bell.setblocking(False)
        selector.register(self._bell, selectors.EVENT_READ, None)

    def ring(self) -> None:
        """Wake the thread; of many rings before it is awake one costs something."""
        if not self._rung:
            self._rung = True
            with suppress(OSError, AttributeError):
                self._rope.send(b"!")

    def answer(self) -> None:
        """It has been heard. What was asked before this is to be looked for after it."""
        with suppress(BlockingIOError):
            self._bell.recv(4096)
        # Only now: a ring that came before the recv() left nothing behind, and is served after this.
        self._rung = False

    def close(self) -> None:
        """Take it down."""
        self._rope.close()
        self._bell.close()
