"""A small HTTP server in a thread of its own: for probes and metrics, beside the work.

Whoever connects and says nothing, however often, takes a few descriptors at most.
"""

from __future__ import annotations

import socket
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pgqueue.errors import OptionError
from pgqueue.forks import not_for_copies

# No client is served for longer, seconds, whether it says nothing or says it slowly.
PATIENCE = 5.0
# So many are served at once. One more takes the place of the oldest, if that had time enough to be answered.
MOST_CLIENTS = 16
ENOUGH = 0.5


class SmallServer:
    """Answers at one port. Raises OptionError, which names the `option`, if the port cannot be had."""

    def __init__(self, host: str, port: int, handler: type[SmallHandler], option: str) -> None:
        try:
            self._server = _Server((host, port), handler)
        except (OSError, OverflowError) as error:
            raise OptionError(
                f"{option} {port} on {host} cannot be listened on: {error}; choose another port or host"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="pgqueue-http", daemon=True)
        not_for_copies(self)

    def in_copy(self) -> None:
        """The port is this process's: a copy that outlives it must not keep the next one from it."""
        self._server.socket.close()

    @property
    def port(self) -> int:
        """Where it listens: the port that was given, or the one that 0 was made into."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more, and let go of the port."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class SmallHandler(BaseHTTPRequestHandler, ABC):
    """Answers one request; do_GET is its owner's."""

    server_version = "pgqueue"
    sys_version = ""
    timeout = PATIENCE

    def do_HEAD(self) -> None:
        """As GET, without a body."""
        self.do_GET()

    @abstractmethod
    def do_GET(self) -> None:
        """Answer by send()."""

    def log_message(self, *_: object) -> None:
        """They come every few seconds: none of them is worth a line."""

    def send(self, status: int, kind: str, body: str | bytes) -> None:
        """The answer; `kind` is its content type."""
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *args: Any) -> None:
        self._lock = threading.Lock()  # guards _clients
        # Each connection, and when it came, monotonic; the oldest first.
        self._clients: dict[socket.socket, float] = {}
        super().__init__(*args)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Take one more if there is a place for it, or one can be made."""
        now = time.monotonic()
        with self._lock:
            if len(self._clients) >= MOST_CLIENTS:
                oldest = next(iter(self._clients))
                if now - self._clients[oldest] < ENOUGH:
                    return False
                self._hang_up(oldest)
            self._clients[request] = now
        return True

    def service_actions(self) -> None:
        """Hang up on those that were served for long; called twice a second."""
        now = time.monotonic()
        with self._lock:
            for client in [client for client, came_at in self._clients.items() if now - came_at > PATIENCE]:
                self._hang_up(client)

    def close_request(self, request: Any) -> None:
        with self._lock:
            self._clients.pop(request, None)
            super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is nobody's trouble."""

    def _hang_up(self, client: socket.socket) -> None:
        # Its thread, which waits for it, then finds it gone, and closes it.
        del self._clients[client]
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
