"""`python -m bench.browsers PORT ADDRESS...`: an open page for each address, kept fresh until standard input ends.

Each asks for its page, then for the stream of its changes, and for what has changed whenever it hears so. What it costs
to show it is not the queue's machine's: these run at the lowest priority.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections import Counter

_REGION = re.compile(r'data-region="(\w+)" data-hash="(\w+)"')
# As many as a browser leaves the usual.
EVERY = 2
counted: Counter[str] = Counter()


class Tab:
    """One page in one browser."""

    def __init__(self, port: int, address: str) -> None:
        self._port, self._address = port, address

    async def show(self) -> None:
        """Open it, and keep it fresh."""
        page = await self._get({"accept": "text/html"})
        known = ",".join(f"{name}.{digest}" for name, digest in _REGION.findall(page))
        mark = "&" if "?" in self._address else "?"
        path = f"{self._address}{mark}_every={EVERY}&_known={known}"
        reader, writer = await self._send(path, {"accept": "text/event-stream"})
        event = ""
        try:
            async for raw in reader:
                line = raw.decode().strip()
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                    counted[event] += 1
                elif line.startswith("data: ") and event == "changed":
                    await self._get({"x-regions": line.removeprefix("data: ")})
        finally:
            writer.close()

    async def _get(self, headers: dict[str, str]) -> str:
        reader, writer = await self._send(self._address, {**headers, "connection": "close"})
        try:
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        if b" 200 " not in head.partition(b"\r\n")[0]:
            counted["failed"] += 1
        counted["asked"] += 1
        return body.decode(errors="replace")

    async def _send(self, path: str, headers: dict[str, str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\n{said}\r\n".encode())
        await writer.drain()
        return reader, writer


async def main(port: int, addresses: list[str]) -> None:
    """Open all, and close them when standard input ends; then say what was asked and heard."""
    tabs = [asyncio.create_task(Tab(port, address).show()) for address in addresses]
    await asyncio.to_thread(sys.stdin.buffer.read)
    for tab in tabs:
        tab.cancel()
    ended = await asyncio.gather(*tabs, return_exceptions=True)
    counted["failed"] += sum(isinstance(end, Exception) for end in ended)
    print(dict(counted))


if __name__ == "__main__":
    os.nice(19)
    asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
