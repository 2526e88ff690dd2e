"""From an answer to the bytes that are sent, and the tag that tells whether it has changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from pgqueue.exact_json import written
from pgqueue.jsonable import jsonable
from pgqueue.printable import harmless_json

# Integers of 63 bits, which JavaScript would round: who is meant must stay who is meant.
AS_TEXT = frozenset({"id", "worker", "operation"})
# When something was asked is no part of what it is.
MOMENT = "at"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A body, and its tag."""

    body: bytes
    tag: str


def encoded(answer: object) -> Encoded:
    """JSON with numbers as they were written, in which nothing steers whoever reads it on a terminal."""
    values = jsonable(answer, AS_TEXT)
    body = _bytes(values)
    lasting = {name: each for name, each in values.items() if name != MOMENT} if isinstance(values, dict) else values
    told = body if lasting == values else _bytes(lasting)
    return Encoded(body, _tag(told))


def of_text(text: str) -> Encoded:
    """A text that is JSON already."""
    return Encoded(text.encode(), _tag(text.encode()))


def is_known(tag: str, if_none_match: str | None) -> bool:
    """Whether who asks has the answer of this tag already."""
    if if_none_match is None:
        return False
    known = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in known or tag.removeprefix("W/") in known


def _tag(body: bytes) -> str:
    return f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'


def _bytes(values: Any) -> bytes:
    return (harmless_json(written(values)) + "\n").encode()
