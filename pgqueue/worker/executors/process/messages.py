"""What a worker and its child processes say to each other: tuples of plain values that begin with their kind.

A child's are lines of JSON. The worker's are written by `marshal`, at a fifth of what JSON costs: both ends run the
same Python, and nobody but the worker can write to that end of the socket.

    worker -> child                              child -> worker
    [START, settings, sys.path, worker's pid]    [TASK, spec], for each of them, then [READY]; or [BROKEN, why]
    [DECLARED, [target, ...] or null, of]        [BEGAN, number]
    [RUN, [claim, ...]]                          [MOVED, number ended, nanoseconds, settlement, number begun or null]
    [NOTICE, number, notice]                     [RESULT, bytes], then the result itself; then MOVED says of what
    [GIVE_BACK]                                  [BROUGHT, bytes], likewise what its success brings, as JSON
                                                 [HUNG, number, where or null]
    [STOP]                                       [GIVEN_BACK, [number, ...]]
    [PHASE, what the worker is about, of]        [PROGRESS, number, done, total or null, note or null], while it runs
                                                 [EXTEND, number, seconds]: it asks to run so long from now on
                                                 [ADVANCED, number]: it has come further than the crash before
    [WHERE]                                      [WATCHED]: something looks on there, and wants headers
    [UNWANTED, number, [id, ...]]                [ITEM, place, settlement], of a batch, before it has MOVED
                                                 [SAID, number, [[at, level, line], ...], place], while it runs
                                                 [HERE, number or null, where or null]
    [ENTER, worker id, dsn], [LEAVE, worker id]  [HOOKED, [name, ...]]: the hooks that are for every task, if any
                                                 [PLAIN, [target, ...]]: functions that jobs may call, and are no tasks

Jobs of several databases are told apart by the worker id that claimed them: `of` is that, or null for all jobs.
A batch is one number: its claims stand in a list, by place, and those that just succeeded are no ITEM.

A child says that a job has ended together with which one it starts next, and before it starts it: when it dies, the
worker knows which job it was running. A job can write to its child's socket, too: what comes from there is data and
stays data, bounded, and is checked (see wire.py) before anything is done for it.
"""

from __future__ import annotations

import json
import marshal
import struct
from math import inf
from typing import Any

START, RUN, GIVE_BACK, STOP, READY, BROKEN, MOVED, GIVEN_BACK, NOTICE = range(9)
DECLARED, HUNG, TASK, RESULT, BEGAN, WATCHED, SAID, WHERE, HERE, HOOKED, BROUGHT = range(9, 20)
PHASE, PROGRESS, EXTEND, ADVANCED, ITEM, UNWANTED, ENTER, LEAVE, PLAIN = range(20, 29)
# What is followed by a text of its own.
_LONG = (RESULT, BROUGHT)

# What a child says holds an error and its traceback at most; results, which may be long, come beside it as they are.
LONGEST_SAID = 1 << 20
# So many targets fit in it, whatever their length.
MOST_TARGETS = 500
# A value of PostgreSQL is no longer.
LONGEST_RESULT = 1 << 30

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode = json.JSONDecoder().raw_decode


_LENGTH = struct.Struct("!I")


def pack_order(*message: Any) -> bytes:
    """What the worker says, as bytes: None, numbers, texts, and lists and tuples of them, of exactly these types."""
    body = marshal.dumps(message)
    return _LENGTH.pack(len(body)) + body


class OrderUnpacker:
    """Cuts a stream of bytes into what the worker says."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[Any, ...]]:
        """The messages that `data` completes."""
        buffer = self._buffer
        buffer += data
        orders: list[tuple[Any, ...]] = []
        start = 0
        while len(buffer) >= start + _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            end = start + _LENGTH.size + length
            if len(buffer) < end:
                break
            orders.append(marshal.loads(memoryview(buffer)[start + _LENGTH.size : end]))
            start = end
        del buffer[:start]
        return orders


def pack(*message: Any) -> bytes:
    """What a child says, as bytes."""
    return f"{_encode(message)}\n".encode("ascii")


def pack_success(number: int, nanoseconds: int, begun: int | None) -> bytes:
    """MOVED of a job that succeeded, by far the most: as pack() writes it, at a quarter of its cost."""
    return f"[{MOVED},{number},{nanoseconds},null,{'null' if begun is None else begun}]\n".encode("ascii")


def pack_result(result: str, kind: int = RESULT) -> bytes:
    """The result of the job of which the next message says that it has ended; or what that brings."""
    body = result.encode()
    return pack(kind, len(body)) + body


class Unpacker:
    """Cuts a stream of bytes into messages. After `torn` there will be none: what came is no message.

    No line may be longer than `longest` bytes.
    """

    def __init__(self, longest: float = inf) -> None:
        self.torn = False
        self._longest = longest
        self._buffer = bytearray()
        # Up to where no end of a line is, and how long the text is of which all is still to come, and what it is.
        self._searched = 0
        self._result: int | None = None
        self._kind = RESULT

    def feed(self, data: bytes) -> list[list[Any]]:
        """The messages that `data` completes."""
        buffer = self._buffer
        buffer += data
        messages: list[list[Any]] = []
        start = 0
        while not self.torn:
            if self._result is not None:
                end = start + self._result
                if len(buffer) < end:
                    break
                message = _result(self._kind, buffer[start:end])
                self._result = None
            else:
                newline = buffer.find(b"\n", start + self._searched)
                length = (newline if newline >= 0 else len(buffer)) - start
                if length > self._longest:
                    self.torn = True
                    break
                if newline < 0:
                    self._searched = length
                    break
                message = _line(buffer[start:newline])
                self._searched, end = 0, newline + 1
                if message is not None and message[0] in _LONG:
                    self._await_result(message)
                    start = end
                    continue
            if message is None:
                self.torn = True
            else:
                messages.append(message)
                start = end
        if self.torn:
            buffer.clear()
        del buffer[:start]
        return messages

    def _await_result(self, message: list[Any]) -> None:
        match message:
            case [int(kind), int(length)] if 0 <= length <= LONGEST_RESULT:
                self._kind, self._result = kind, length
            case _:
                self.torn = True


def _line(line: bytearray) -> list[Any] | None:
    try:
        message, end = _decode(text := line.decode("ascii"))
    except Exception:  # Nested too deep, a number too long: bytes that are no message raise whatever they lead to.
        return None
    return message if type(message) is list and message and end == len(text) else None


def _result(kind: int, body: bytearray) -> list[Any] | None:
    try:
        return [kind, body.decode()]
    except ValueError:
        return None
