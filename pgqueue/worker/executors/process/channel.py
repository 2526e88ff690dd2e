"""A child's end of the socket to its worker: jobs may close any file, and what then has its number is not it."""

from __future__ import annotations

import os
import socket
from typing import NoReturn

from pgqueue.forks import dead_end, not_for_copies

# EX_PROTOCOL: how a child ends whose channel is not its own any more.
LOST_CHANNEL = 76

_CHUNK = 1 << 18


class Channel:
    """The socket of that number. Ends the process when the worker is gone, or the number is another file's."""

    def __init__(self, number: int) -> None:
        self._socket = socket.socket(fileno=number)
        self._socket.set_inheritable(False)
        self._number = number
        found = os.fstat(number)
        self._identity = found.st_ino, found.st_dev
        not_for_copies(self)

    def send(self, frame: bytes) -> None:
        """Send all of it; one thread at a time."""
        self._check()
        try:
            self._socket.sendall(frame)
        except OSError:
            os._exit(0)

    def receive(self) -> bytes:
        """The next bytes, at least one."""
        self._check()
        try:
            data = self._socket.recv(_CHUNK)
        except OSError:
            data = b""
        return data or self._end()

    def _check(self) -> None:
        try:
            found = os.fstat(self._number)
        except OSError:
            os._exit(LOST_CHANNEL)
        if (found.st_ino, found.st_dev) != self._identity:
            os._exit(LOST_CHANNEL)

    def _end(self) -> NoReturn:
        os._exit(0)

    def in_copy(self) -> None:
        """A dead end, in place of the worker's ear."""
        try:
            dead_end(self._number)
        except OSError:
            os._exit(0)
