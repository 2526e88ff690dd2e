"""A server of HTTP that says its bytes itself: right ones, slow ones, too many, or none at all."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Request(NamedTuple):
    """As it came; names of fields in small letters."""

    line: str
    fields: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Says = bytes | Iterable[bytes]


def answer(status: int, body: bytes = b"", **fields: str) -> bytes:
    """A whole answer: `content_type=...` is the field Content-Type."""
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer_json(value: Any, status: int = 200) -> bytes:
    return answer(status, json.dumps(value).encode(), content_type="application/json; charset=utf-8")


@dataclass
class Server:
    """Each request is kept, and answered with what `says` says, part by part."""

    says: Callable[[Request], Says] = lambda request: answer(204)
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    taken: list[Request] = field(default_factory=list)
    # The names that TLS was asked for.
    names: list[str | None] = field(default_factory=list)

    def __enter__(self) -> Server:
        self._listening = socket.create_server((self.host, 0))
        self._ended = threading.Event()
        if self.tls is not None:
            self.tls.sni_callback = lambda sock, name, context: self.names.append(name)
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._listening.close()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/jobs?a=b"

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                conn, _ = self._listening.accept()
                threading.Thread(target=self._answer, args=(conn,), daemon=True).start()

    def _answer(self, conn: socket.socket) -> None:
        # What it is sent may be no HTTP.
        with conn, suppress(OSError, ValueError):
            if self.tls is not None:
                conn = self.tls.wrap_socket(conn, server_side=True)
            with conn, conn.makefile("rb") as stream:
                line = stream.readline().decode().strip()
                fields: dict[str, str] = {}
                while text := stream.readline().decode().strip():
                    name, _, value = text.partition(":")
                    fields[name.lower()] = value.strip()
                request = Request(line, fields, stream.read(int(fields.get("content-length", "0"))))
                self.taken.append(request)
                said = self.says(request)
                for part in [said] if isinstance(said, bytes) else said:
                    conn.sendall(part)

    def wait(self, seconds: float) -> None:
        """Say nothing for so long, or until the test is over."""
        self._ended.wait(seconds)
