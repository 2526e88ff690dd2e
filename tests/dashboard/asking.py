"""Ask an ASGI application as a server would, without one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

HERE = ("127.0.0.1", 50_000)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    text: str

    def header(self, name: str) -> str | None:
        found = [value for each, value in self.headers if each == name]
        assert len(found) < 2, found
        return found[0] if found else None


def ask(
    app: Any,
    address: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: Iterable[tuple[str, str]] = (),
    host: str | None = "localhost:8080",
    client: tuple[str, int] | None = HERE,
    root_path: str = "",
    besides: Mapping[str, Any] | None = None,
) -> Answer:
    """What the application answers to one request."""
    parts = urlsplit(address)
    given = [*headers, *([("host", host)] if host is not None else [])]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": quote(parts.path).encode(),
        "query_string": parts.query.encode(),
        "root_path": root_path,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given],
        "client": client,
        "server": ("127.0.0.1", 8080),
        **(besides or {}),
    }
    return asyncio.run(_ask(app, scope, body))


async def _ask(app: Any, scope: dict[str, Any], body: bytes) -> Answer:
    sent: list[dict[str, Any]] = []
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    begin = sent[0]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    pairs = [(name.decode(), value.decode("latin-1")) for name, value in begin["headers"]]
    return Answer(begin["status"], pairs, body.decode())
