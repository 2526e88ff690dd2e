"""A dashboard behind a real server, for what only a connection shows: streams, and browsers."""

from __future__ import annotations

import asyncio
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import uvicorn

from tests.waiting import wait_until


@contextmanager
def served(app: Any, root_path: str = "") -> Iterator[str]:
    """The address of a server that runs `app` until the block ends."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", root_path=root_path, timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive())
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(15)
        assert not thread.is_alive()


def close(app: Any) -> None:
    """Close a dashboard, also where this thread's event loop is a browser's."""
    thread = threading.Thread(target=lambda: asyncio.run(app.aclose()))
    thread.start()
    thread.join(15)


def fetch(address: str, **headers: str) -> str:
    """What a server answers."""
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
        text: str = answer.read().decode()
        return text


class Events:
    """A stream of events, read one by one."""

    def __init__(self, address: str, path: str) -> None:
        self._conn = HTTPConnection(address.removeprefix("http://"), timeout=20)
        self._conn.request("GET", path, headers={"accept": "text/event-stream"})
        self.answer: HTTPResponse = self._conn.getresponse()

    def next(self, wanted: str) -> str:
        """The data of the next event of a kind."""
        event = ""
        for raw in self.answer:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: ") and event == wanted:
                return line.removeprefix("data: ")
        raise AssertionError(f"the stream ended without {wanted}")

    def close(self) -> None:
        """Go away, as a tab that is closed."""
        self.answer.close()
        self._conn.close()
