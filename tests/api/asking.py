"""Ask the API as a program would: with a token."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pgqueue.dashboard import Dashboard, Tokens, User, create_app, hash_token, new_token
from tests.dashboard.asking import Answer
from tests.dashboard.asking import ask as ask_anything

BASE = "/api/v1"
USERS = {
    "viewer": User("vic", "viewer"),
    "operator": User("otto", "operator"),
    "admin": User("ada", "admin"),
    "tenant": User("tess", "operator", ["mail.*"]),
}
TOKENS = {name: new_token() for name in USERS}


def make(dsn: str, **options: Any) -> Dashboard:
    """A dashboard whose API knows one token of each kind."""
    return create_app(dsn, api=Tokens({name: (USERS[name], hash_token(TOKENS[name])) for name in USERS}), **options)


def bearer(name: str = "admin") -> list[tuple[str, str]]:
    """The header that shows a token."""
    return [("authorization", f"Bearer {TOKENS[name]}")]


def ask(app: Any, path: str, who: str = "admin", *, headers: Iterable[tuple[str, str]] = (), **more: Any) -> Answer:
    """What the API answers."""
    return ask_anything(app, f"{BASE}{path}", headers=[*bearer(who), *headers], **more)


def read(app: Any, path: str, who: str = "admin") -> Any:
    """The JSON of an answer that there is."""
    answer = ask(app, path, who)
    assert answer.status == 200, (path, answer.text)
    assert answer.header("content-type") == "application/json"
    return json.loads(answer.text)
