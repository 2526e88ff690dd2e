"""PostgreSQL's wire protocol, version 3, as far as a proxy must read it to know requests and answers apart.

A request is all that a client sends up to a Sync or a simple Query; its answer ends with ReadyForQuery.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
READY, ERROR = b"Z", b"E"
# What a server says of its own accord, at any time: notifications, settings, notices.
UNASKED = b"ASN"
END_OF_REQUEST = b"QS"
TERMINATE = b"X"


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its letter, and what follows its length."""

    letter: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        return self.letter + struct.pack("!I", len(self.body) + 4) + self.body


@dataclass(frozen=True, slots=True)
class Startup:
    """The first message of a connection: a code, and what follows it."""

    code: int
    body: bytes

    @property
    def raw(self) -> bytes:
        return struct.pack("!II", len(self.body) + 8, self.code) + self.body

    @property
    def application_name(self) -> str:
        words = self.body.split(b"\0")
        named = dict(zip(words[::2], words[1::2], strict=False))
        return named.get(b"application_name", b"").decode()


async def read_startup(reader: asyncio.StreamReader) -> Startup:
    """Raises asyncio.IncompleteReadError when the connection ends, as the next one does."""
    length, code = struct.unpack("!II", await reader.readexactly(8))
    return Startup(code, await reader.readexactly(length - 8))


async def read_message(reader: asyncio.StreamReader) -> Message:
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!I", head[1:])
    return Message(head[:1], await reader.readexactly(length - 4))


def parsed(message: Message) -> tuple[bytes, str]:
    """The name and the text of the statement in a Parse."""
    name, sql = message.body.split(b"\0", 2)[:2]
    return name, sql.decode()


def queried(message: Message) -> str:
    """The text in a Query."""
    return message.body.rstrip(b"\0").decode()


def bound(message: Message) -> tuple[bytes, list[bytes | None]]:
    """The name of the statement in a Bind, and the values it is given."""
    _portal, name, rest = message.body.split(b"\0", 2)
    (formats,) = struct.unpack_from("!H", rest)
    at = 2 + 2 * formats
    (count,) = struct.unpack_from("!H", rest, at)
    at += 2
    values: list[bytes | None] = []
    for _ in range(count):
        (length,) = struct.unpack_from("!i", rest, at)
        at += 4
        values.append(None if length < 0 else rest[at : at + length])
        at += max(0, length)
    return name, values


def fatal(sqlstate: str) -> bytes:
    """The error with which a server ends a connection."""
    fields = {b"S": "FATAL", b"V": "FATAL", b"C": sqlstate, b"M": "injected by the enumerator"}
    body = b"".join(letter + text.encode() + b"\0" for letter, text in fields.items()) + b"\0"
    return Message(ERROR, body).raw


def failing(sqlstate: str, *, roll_back: bool) -> bytes:
    """A request that the server answers with this error: so the state of its transaction is what it says."""
    first = "rollback; " if roll_back else ""
    raising = f"do $$ begin raise exception 'injected by the enumerator' using errcode = '{sqlstate}'; end $$"
    return Message(b"Q", (first + raising).encode() + b"\0").raw
