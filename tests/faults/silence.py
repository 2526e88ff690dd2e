"""A TCP proxy before PostgreSQL that can go silent and stay open, or lose the reply to a statement.

What keepalives and the kernel see of a silent link is a healthy one: the proxy itself acknowledges every byte.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress


class Link:
    """One connection through the proxy; `name` is all that its startup packet says."""

    def __init__(self, proxy: SilentProxy, client: socket.socket, server: socket.socket) -> None:
        self.silent = False
        self.name = b""
        self._proxy = proxy
        self._ends = (client, server)
        self._cut = False
        for source, target in (self._ends, self._ends[::-1]):
            threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def end(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of both ends."""
        self.end()
        for end in self._ends:
            end.close()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        asks = source is self._ends[0]
        with suppress(OSError):
            while chunk := source.recv(65536):
                if not self.name and asks:
                    self.name = chunk
                    self.silent = self._proxy.hushes(chunk)
                if self.silent:
                    self._proxy.reading.wait()
                    continue
                if asks and self._proxy.is_to_lose(chunk):
                    self._cut = True
                if self._cut and not asks:
                    # The server has answered, so it has committed.
                    break
                target.sendall(chunk)
        if not self.silent:
            self.end()


class SilentProxy:
    """Goes silent for connections of certain roles, by hush(), and serves new ones again after speak()."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._hushed: tuple[bytes, ...] = ()
        self._word: bytes | None = None
        self._links: list[Link] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lost = threading.Event()
        self.reading = threading.Event()
        self.reading.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def hush(self, roles: Iterable[str], *, reading: bool = True) -> None:
        """Pass on nothing more from or to connections named `pgqueue <role>`; "" is all of them.

        Unless `reading`, not even the buffers are emptied.
        """
        if not reading:
            self.reading.clear()
        self._hushed = tuple(role.encode() for role in roles)
        for link in self._links:
            link.silent = link.silent or self.hushes(link.name)

    def speak(self) -> None:
        """Serve new connections again. The silent ones stay silent: nobody remembers them."""
        self._hushed = ()

    def lose_reply(self, word: bytes) -> None:
        """Cut the connection on which the next message holds `word`, after the server has answered it."""
        self.lost.clear()
        self._word = word

    def hushes(self, name: bytes) -> bool:
        return any(b"pgqueue " + role in name for role in self._hushed)

    def is_to_lose(self, chunk: bytes) -> bool:
        if self._word is None or self._word not in chunk:
            return False
        self._word = None
        self.lost.set()
        return True

    def close(self) -> None:
        self._listener.close()
        self.reading.set()
        for link in self._links:
            link.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._links.append(Link(self, client, socket.create_connection(self._server)))
