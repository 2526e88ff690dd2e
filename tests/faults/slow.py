"""A TCP proxy before PostgreSQL whose answers come slowly, as over a thin line."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

CHUNK = 16_384


class SlowProxy:
    """Forwards every connection; each gets `rate` bytes a second from the server, and no more lie in between."""

    def __init__(self, host: str, port: int, rate: float) -> None:
        self._server = (host, port)
        self._rate = rate
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket()
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)
                server.connect(self._server)
                threading.Thread(target=self._forward, args=(client, server, 0.0), daemon=True).start()
                threading.Thread(target=self._forward, args=(server, client, 1 / self._rate), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, pause: float) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                time.sleep(len(chunk) * pause)
                target.sendall(chunk)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            # What was not read yet is refused: a server that still sends learns that nobody is there.
            end.close()
