"""One POST to an address that was looked at: the name is asked for once, and the connection made to what it stood for.

No proxy of the environment, no redirect, no second use of a connection. TLS asks for a certificate of the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from pgqueue.addresses import Network, is_permitted
from pgqueue.errors import OptionError
from pgqueue.polyglot.answer import LONGEST_LINE, BadAnswer, Head, TooLarge, read_body, read_head

# Of a name that stands for many, so many addresses are tried.
_MOST_TRIED = 4
# Seconds for the end of a connection that nobody needs any more.
_PARTING = 1.0
# Bytes that are read of an answer that is no success.
_GLANCE = 2_000


class NotPermitted(Exception):
    """The name stands for an address that may not be connected to."""


class Unreachable(Exception):
    """No connection could be made, or it broke."""


class Place(NamedTuple):
    """Where a URL leads; `authority` is the host as the Host field has it."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str

    @classmethod
    def read(cls, url: str) -> Place:
        """The parts of a URL that may be posted to. Raises OptionError, which does not say more of it than its host."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except (ValueError, AttributeError, TypeError):
            raise OptionError("url cannot be read; it must read as https://host/path") from None
        if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
            raise OptionError("url must begin with https:// (or http://) and name a host")
        if "@" in parts.netloc or any(sign <= " " or sign >= "\x7f" for sign in url):
            raise OptionError("url must be of plain letters, and hold no user or password; escape others as %20")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        usual = 443 if parts.scheme == "https" else 80
        return cls(parts.scheme, parts.hostname, port or usual, parts.netloc, path)


class Answer(NamedTuple):
    """What came back. `body` is None where it is too large; of what is no success it is a glance."""

    head: Head
    body: bytes | None


class Way(NamedTuple):
    """How to get there: seconds for the connection, private networks that are allowed, whom TLS trusts."""

    connect_timeout: float
    allowed: Sequence[Network]
    trust: ssl.SSLContext | None


async def post(place: Place, way: Way, fields: Mapping[str, str], body: bytes, most: int) -> Answer:
    """Post it, and read at most `most` bytes of the answer. Raises NotPermitted, Unreachable, BadAnswer."""
    lines = [f"POST {place.path} HTTP/1.1", f"Host: {place.authority}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    head = "\r\n".join([*lines, "Accept-Encoding: identity", "Connection: close", "", ""])
    async with _connection(place, way) as (reader, writer):
        # Not drained: a server may refuse it before it has read all of it, and its answer counts.
        writer.write(head.encode("latin-1") + body)
        try:
            return await _answer(reader, most)
        except OSError as error:
            raise Unreachable(f"the connection broke: {error}") from None


async def _answer(reader: asyncio.StreamReader, most: int) -> Answer:
    head = await read_head(reader)
    if 200 <= head.status < 300:
        try:
            return Answer(head, await read_body(reader, head, most))
        except TooLarge:
            return Answer(head, None)
    try:
        return Answer(head, await read_body(reader, head, _GLANCE))
    except (BadAnswer, TooLarge, OSError):
        # Its status says what is to be done.
        return Answer(head, None)


@asynccontextmanager
async def _connection(place: Place, way: Way) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    try:
        async with asyncio.timeout(way.connect_timeout):
            reader, writer = await _connected(place, way)
    except TimeoutError:
        raise Unreachable(f"no connection to {place.host} within {way.connect_timeout:g} s") from None
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), _PARTING)


async def _connected(place: Place, way: Way) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    addresses = (await _permitted(place, way.allowed))[:_MOST_TRIED]
    failed: Exception | None = None
    for number, (family, address) in enumerate(addresses):
        try:
            # What is left of the time is shared by those that are left.
            async with asyncio.timeout(way.connect_timeout / (len(addresses) - number)):
                return await _connected_to(family, address, place, way.trust)
        except ssl.SSLError as error:
            raise Unreachable(f"TLS failed: {getattr(error, 'verify_message', '') or error.reason or error}") from None
        except (OSError, TimeoutError) as error:
            failed = error
    raise Unreachable(f"no connection to {place.host}: {failed or 'its name stands for no address'}")


async def _connected_to(
    family: int, address: tuple[object, ...], place: Place, trust: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
        name = place.host if trust is not None else None
        return await asyncio.open_connection(sock=sock, ssl=trust, server_hostname=name, limit=LONGEST_LINE)
    except BaseException:
        sock.close()
        raise


async def _permitted(place: Place, allowed: Sequence[Network]) -> list[tuple[int, tuple[object, ...]]]:
    """What the name stands for at this moment; all of it must be permitted. Raises NotPermitted, Unreachable."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{place.host} is not found: {error}") from None
    for *_, address in found:
        if not is_permitted(str(address[0]), allowed):
            raise NotPermitted(f"{place.host} is {address[0]}, which is private")
    return [(family, address) for family, _, _, _, address in found]
