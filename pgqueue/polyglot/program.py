"""One run of a program: fed by stdin, read from stdout and stderr, and ended with all that it started."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from io import FileIO
from typing import Any, NamedTuple

from pgqueue.errors import ProgramFailed
from pgqueue.polyglot.keeper import GRACE
from pgqueue.polyglot.keeping import Order, started

# Bytes at a time. Of short lines that is work for milliseconds, in which nothing else in the loop gets on.
_CHUNK = 1 << 13
# Seconds for what stands in the pipes of one that has ended: something that it started may hold them open for ever.
_DRAIN = 1.0


class Listener(NamedTuple):
    """Who hears a program: parts of its stdout and its stderr, at most `most` bytes of both."""

    out: Callable[[bytes], object]
    err: Callable[[bytes], object]
    most: int


class Ending(NamedTuple):
    """How it ended: an exit code, None if it has none; and the same in words."""

    exit_code: int | None
    how: str


async def run_program(order: Order, told: bytes, listener: Listener) -> Ending:
    """Run it to its end, in whatever event loop. Cancelled, or raising, it leaves nothing running in its group.

    Raises ProgramFailed if it prints too much, OSError if this machine can start none, and what `listener` raises.
    """
    with ExitStack() as stack:
        given, stdin = _pipe(stack)
        out, stdout = _pipe(stack)
        err, stderr = _pipe(stack)
        theirs = (given, stdout, stderr)
        control = stack.enter_context(started(order, [each.fileno() for each in theirs]))
        for each in theirs:
            each.close()
        return await _kept(control, (stdin, out, err), told, listener)


def _pipe(stack: ExitStack) -> tuple[FileIO, FileIO]:
    """Its end for reading, and its end for writing."""
    reading, writing = os.pipe()
    return stack.enter_context(FileIO(reading, "r")), stack.enter_context(FileIO(writing, "w"))


async def _kept(control: socket.socket, ours: tuple[FileIO, FileIO, FileIO], told: bytes, listener: Listener) -> Ending:
    for each in ours:
        os.set_blocking(each.fileno(), False)
    stdin, out, err = ours
    counted = _Counted(listener.most)
    ended = asyncio.create_task(_ending(control))
    heard = [
        asyncio.create_task(_hear(out, counted, listener.out)),
        asyncio.create_task(_hear(err, counted, listener.err)),
    ]
    streams = [asyncio.create_task(_feed(stdin, told)), *heard]
    try:
        await _first_of(ended, streams)
        await asyncio.wait(heard, timeout=_DRAIN)
        for stream in heard:
            if stream.done():
                stream.result()
        return ended.result()
    except BaseException:
        await _end(control, ended)
        raise
    finally:
        for task in (ended, *streams):
            task.cancel()
        # Before their files are closed, whose numbers will be others'.
        await asyncio.gather(ended, *streams, return_exceptions=True)


async def _first_of(ended: asyncio.Task[Ending], streams: list[asyncio.Task[None]]) -> None:
    """Wait for its end; raises at once what one of its streams raises."""
    waiting: set[asyncio.Task[Any]] = {ended, *streams}
    while not ended.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()


async def _end(control: socket.socket, ended: asyncio.Task[Ending]) -> None:
    """Let it end by SIGTERM; what does not, is killed: by its keeper, or when its control is closed."""
    with suppress(OSError):
        control.send(b"T")
        await asyncio.wait({ended}, timeout=GRACE + _DRAIN)


async def _ending(control: socket.socket) -> Ending:
    said = await asyncio.get_running_loop().sock_recv(control, 4096)
    if not said:
        return Ending(None, "ended with its keeper, the process of pgqueue that had started it")
    how = json.loads(said)
    if "errno" in how:
        raise OSError(how["errno"], f"no program can be started: {os.strerror(how['errno'])}")
    if "failure" in how:
        return Ending(None, f"not started: {how['failure']}")
    code = how["code"]
    if code >= 0:
        return Ending(code, f"exit code {code}")
    with suppress(ValueError):
        return Ending(None, f"ended by {signal.Signals(-code).name}")
    return Ending(None, f"ended by signal {-code}")


class _Counted:
    """What is printed, in bytes."""

    def __init__(self, most: int) -> None:
        self._left = self._most = most

    def add(self, size: int) -> None:
        """So many more. Raises ProgramFailed when there are too many."""
        self._left -= size
        if self._left < 0:
            raise ProgramFailed(f"it printed more than {self._most:,} bytes; let it print less, or say max_output")


async def _feed(file: FileIO, told: bytes) -> None:
    """Write what it is told; one that does not listen need not."""
    loop = asyncio.get_running_loop()
    left = memoryview(told)
    with file:
        while left:
            try:
                written = file.write(left[:_CHUNK])
            except BrokenPipeError:
                return
            if written:
                left = left[written:]
            else:
                await _turn(loop.add_writer, loop.remove_writer, file)


async def _hear(file: FileIO, counted: _Counted, take: Callable[[bytes], object]) -> None:
    """Hand on what it prints, until there is no more."""
    loop = asyncio.get_running_loop()
    while True:
        chunk = file.read(_CHUNK)
        if chunk is None:
            await _turn(loop.add_reader, loop.remove_reader, file)
        elif not chunk:
            return
        else:
            counted.add(len(chunk))
            take(chunk)
            # One that never stops must not hold the loop.
            await asyncio.sleep(0)


async def _turn(add: Callable[..., object], remove: Callable[[int], object], file: FileIO) -> None:
    """Wait until the file can be read, or written."""
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    number = file.fileno()
    add(number, _set, ready)
    try:
        await ready
    finally:
        remove(number)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
