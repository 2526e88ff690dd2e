"""Reads an answer of HTTP/1.1, strictly and within bounds: what is not clear is no answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import NamedTuple

# Bytes of a line; lines of a head, and of what follows the last chunk; heads that only announce another one.
LONGEST_LINE, _MOST_LINES, _MOST_INTERIM = 16 * 1024, 100, 10
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: .*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")


class BadAnswer(Exception):
    """What came is no answer, or breaks off."""


class TooLarge(Exception):
    """The body is larger than it may be."""


class Head(NamedTuple):
    """The status, and the fields by names in small letters; of one that comes twice both, by a comma."""

    status: int
    fields: Mapping[str, str]


async def read_head(reader: asyncio.StreamReader) -> Head:
    """The head of the answer itself. Raises BadAnswer, OSError."""
    for _ in range(_MOST_INTERIM):
        head = Head(await _status(reader), await _fields(reader))
        if head.status >= 200:
            return head
        if head.status == 101:
            break
    raise BadAnswer("it announces another answer, again and again")


async def read_body(reader: asyncio.StreamReader, head: Head, most: int) -> bytes:
    """The body. Raises TooLarge beyond `most` bytes, BadAnswer, OSError."""
    if head.status in (204, 304):
        return b""
    coding, length = head.fields.get("transfer-encoding"), head.fields.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None:
            raise BadAnswer("its body comes in a way that was not asked for")
        return await _chunks(reader, most)
    if length is None:
        return await _to_the_end(reader, most)
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise BadAnswer("its length is no number")
    if int(length) > most:
        raise TooLarge
    return await _exactly(reader, int(length))


async def _status(reader: asyncio.StreamReader) -> int:
    found = _STATUS.fullmatch(await _line(reader))
    if found is None:
        raise BadAnswer("it does not begin as HTTP/1.1 does")
    return int(found[1])


async def _fields(reader: asyncio.StreamReader) -> dict[str, str]:
    fields: dict[str, str] = {}
    for _ in range(_MOST_LINES):
        line = await _line(reader)
        if not line:
            return fields
        found = _FIELD.fullmatch(line)
        if found is None:
            raise BadAnswer("its head has a line that is no field")
        name, value = found[1].decode().lower(), found[2].decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    raise BadAnswer(f"its head has more than {_MOST_LINES} lines")


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        raise BadAnswer("the connection was closed before its end") from None
    except asyncio.LimitOverrunError:
        raise BadAnswer("its head has a line that does not end") from None
    return line.removesuffix(b"\n").removesuffix(b"\r")


async def _exactly(reader: asyncio.StreamReader, size: int) -> bytes:
    try:
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        raise BadAnswer("the connection was closed before its end") from None


async def _chunks(reader: asyncio.StreamReader, most: int) -> bytes:
    body = bytearray()
    while True:
        found = _SIZE.fullmatch(await _line(reader))
        if found is None:
            raise BadAnswer("a part of its body has no length")
        size = int(found[1], 16)
        if not size:
            # What may follow the last one is of no interest.
            await _fields(reader)
            return bytes(body)
        if len(body) + size > most:
            raise TooLarge
        body += await _exactly(reader, size)
        if await _line(reader):
            raise BadAnswer("a part of its body is longer than it says")


async def _to_the_end(reader: asyncio.StreamReader, most: int) -> bytes:
    body = bytearray()
    while part := await reader.read(1 << 16):
        body += part
        if len(body) > most:
            raise TooLarge
    return bytes(body)
