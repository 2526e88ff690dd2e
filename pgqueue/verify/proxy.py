"""A small TCP proxy before PostgreSQL, whose links can be cut, fall silent, or lose their next reply."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from pgqueue.verify.workload import Fate


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens: a host, or the folder of its unix socket."""

    host: str
    port: int

    def connect(self) -> socket.socket:
        """A connection to the server."""
        if not self.host.startswith(("/", "@")):
            return socket.create_connection((self.host, self.port), timeout=10.0)
        unix = socket.socket(socket.AF_UNIX)
        try:
            unix.connect(str(Path(self.host) / f".s.PGSQL.{self.port}"))
        except OSError:
            unix.close()
            raise
        return unix


@dataclass(slots=True, eq=False)
class Link:
    """One connection through the proxy, and what shall happen to it."""

    client: socket.socket
    server: socket.socket
    port: int
    flowing: threading.Event = field(default_factory=threading.Event)
    fate: Fate | None = None
    loses_reply: bool = False

    def end(self) -> None:
        """Cut it, on both sides."""
        self.flowing.set()
        for side in (self.client, self.server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Listens on a free port of 127.0.0.1 from its making until close()."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()  # guards _links and _closed
        self._links: list[Link] = []
        self._closed = False
        threading.Thread(target=self._accept, name="verify-proxy", daemon=True).start()

    @property
    def links(self) -> list[Link]:
        """The links that are up."""
        with self._lock:
            return list(self._links)

    def link_of(self, port: int) -> Link | None:
        """The link of the client that connected from this port."""
        return next((link for link in self.links if link.port == port), None)

    def cut(self) -> int:
        """Cut every link; answers how many."""
        links = self.links
        for link in links:
            link.end()
        return len(links)

    def lose_replies(self) -> int:
        """Cut each link when the server next says something, which is not passed on; answers how many."""
        links = self.links
        for link in links:
            link.loses_reply = True
        return len(links)

    def silence(self) -> list[Link]:
        """Pass nothing on, on any link there is now, and close none: half-open. New links work."""
        links = self.links
        for link in links:
            link.flowing.clear()
        return links

    def close(self) -> None:
        """Cut all, and accept no more."""
        with self._lock:
            self._closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client, address[1]), daemon=True).start()

    def _connect(self, client: socket.socket, port: int) -> None:
        try:
            server = self._server.connect()
        except OSError:
            client.close()
            return
        server.settimeout(None)
        link = Link(client, server, port)
        link.flowing.set()
        with self._lock:
            if self._closed:
                client.close()
                server.close()
                return
            self._links.append(link)
        down = threading.Thread(target=self._answer, args=(link,), name="verify-link", daemon=True)
        down.start()
        self._ask(link)
        down.join()
        with self._lock:
            self._links.remove(link)
        client.close()
        server.close()

    def _ask(self, link: Link) -> None:
        """Pass on what the client says."""
        with suppress(OSError):
            while chunk := link.client.recv(65536):
                link.flowing.wait()
                if link.fate is Fate.CUT_BEFORE:
                    break
                link.loses_reply |= link.fate is Fate.CUT_AFTER
                link.server.sendall(chunk)
                if link.fate is Fate.CUT_RACE:
                    break
        # A silent link does not say that its client has gone.
        link.flowing.wait()
        link.end()

    def _answer(self, link: Link) -> None:
        """Pass on what the server says."""
        with suppress(OSError):
            while chunk := link.server.recv(65536):
                link.flowing.wait()
                if link.loses_reply:
                    break
                link.client.sendall(chunk)
        link.flowing.wait()
        link.end()
