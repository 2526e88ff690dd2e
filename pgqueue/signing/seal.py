"""The seal: how a signature stands among the headers of its job, beside what must be known to check it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgqueue.signing.terms import Kind

HEADER = "pgqueue-signature"
# In front of the names of context variables, among the headers of others (enqueuing.py).
CONTEXT = "context-"
# Of the headers of one job, in characters, as whoever reads them has it (instruments.py).
LONGEST = 8_192
# Values that are bound only where they were said, by a letter each.
BOUND = {"q": "queue", "t": "tenant"}
_SEAL = re.compile(
    r"1(?P<kind>[jft]):(?P<key>[A-Za-z0-9._-]{1,40}):(?P<at>\d{1,15}):(?P<not_before>\d{0,15}):(?P<bound>[qt]{0,2}):"
    r"(?P<marks>[0-9a-f]{66}):(?P<signature>[A-Za-z0-9+/=]{40,90})(?::(?P<filled>.+))?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature, by which key and when (milliseconds since 1970), and which values it binds, with their marks."""

    kind: Kind
    key_id: str
    signed_at: int
    not_before: int | None
    bound: str
    marks: str
    signature: bytes
    filled: tuple[str, ...] = ()

    def text(self) -> str:
        """As it stands in the header."""
        not_before = "" if self.not_before is None else self.not_before
        said = base64.b64encode(self.signature).decode()
        filled = f":{json.dumps(self.filled, separators=(',', ':'))}" if self.filled else ""
        return f"1{self.kind}:{self.key_id}:{self.signed_at}:{not_before}:{self.bound}:{self.marks}:{said}{filled}"

    @classmethod
    def read(cls, text: str) -> Seal | None:
        """What text() wrote; None for anything else."""
        if (found := _SEAL.fullmatch(text)) is None:
            return None
        try:
            signature = base64.b64decode(found["signature"], validate=True)
            filled = json.loads(found["filled"] or "[]")
        except (binascii.Error, ValueError, RecursionError):
            return None
        if not isinstance(filled, list) or not all(isinstance(name, str) for name in filled):
            return None
        not_before = int(found["not_before"]) if found["not_before"] else None
        return cls(
            Kind(found["kind"]),
            found["key"],
            int(found["at"]),
            not_before,
            found["bound"],
            found["marks"],
            signature,
            tuple(filled),
        )


def sealed(headers: str | None, seal: Seal) -> str:
    """The headers of a job, as JSON, with its seal; what a trace carries along gives way where both are too long."""
    text = json.dumps(seal.text())
    if headers is None:
        return f'{{"{HEADER}":{text}}}'
    merged = {**json.loads(headers), HEADER: seal.text()}
    written = json.dumps(merged)
    if len(written) > LONGEST:
        written = json.dumps({name: value for name, value in merged.items() if name != "baggage"})
    return written


def seal_in(headers: Mapping[str, Any]) -> str | None:
    """The text of the seal among headers; None if there is none."""
    found = headers.get(HEADER)
    return found if isinstance(found, str) else None


def headers_in(text: str | None) -> Mapping[str, Any]:
    """The headers of a job, whatever is written in the database."""
    if text is None or len(text) > LONGEST:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def context_in(headers: Mapping[str, Any]) -> dict[str, str]:
    """Of these headers those by which context variables travel: what the code of a job reads."""
    return {name: value for name, value in headers.items() if name.startswith(CONTEXT) and isinstance(value, str)}
