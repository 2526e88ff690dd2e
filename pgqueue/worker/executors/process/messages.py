"""What a worker and its child processes say to each other: pickled tuples, each after its length.

    worker -> child                                     child -> worker
    (START, settings, sys.path, the worker's pid)       (READY, [TaskSpec, ...]) or (BROKEN, why)
    (DECLARED, targets or None)                         (MOVED, Ended or None, number started or None, TaskSpec or None)
    (RUN, [(number, claim), ...])                       (HUNG, number, where)
    (NOTICE, number, notice)                            (GIVEN_BACK, [number, ...])
    (GIVE_BACK,)
    (STOP,)

A child says that a job has ended together with which one it starts next, and before it starts it: when it dies, the
worker knows which job it was running. Only values of ours travel; the worker never unpickles what is the user's.
"""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple
from uuid import UUID

from pgqueue.events import Finished
from pgqueue.job import Claim
from pgqueue.outcome import Move, Settlement

START, RUN, GIVE_BACK, STOP, READY, BROKEN, MOVED, GIVEN_BACK, NOTICE, DECLARED, HUNG = range(11)

_LENGTH = 4
# PostgreSQL stores no value as long as that; four bytes that say so are the beginning of something else.
_LONGEST = 1 << 30


class Ended(NamedTuple):
    """A finished attempt: its number, its seconds, and its settlement without the token; None is a plain success."""

    number: int
    elapsed: float
    settlement: tuple[Any, ...] | None


def pack(*message: Any) -> bytes:
    """A message as bytes."""
    body = pickle.dumps(message, 5)
    return len(body).to_bytes(_LENGTH, "big") + body


class Unpacker:
    """Cuts a stream of bytes into messages. After `torn` there will be none: what came is no message."""

    def __init__(self) -> None:
        self.torn = False
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[Any, ...]]:
        """The messages that `data` completes."""
        buffer = self._buffer
        buffer += data
        messages = []
        start, size = 0, len(buffer)
        while size - start >= _LENGTH and not self.torn:
            length = int.from_bytes(buffer[start : start + _LENGTH], "big")
            end = start + _LENGTH + length
            if length > _LONGEST:
                self.torn = True
            elif end > size:
                break
            else:
                with memoryview(buffer)[start + _LENGTH : end] as body:
                    message = _unpacked(body)
                if message is None:
                    self.torn = True
                else:
                    messages.append(message)
                    start = end
        del buffer[:start]
        return messages


def _unpacked(body: memoryview) -> tuple[Any, ...] | None:
    try:
        message = pickle.loads(body)
    except Exception:  # Bytes that are no pickle raise whatever they lead to.
        return None
    return message if isinstance(message, tuple) else None


def claim_to_wire(claim: Claim) -> tuple[Any, ...]:
    """A claim as primitives: a UUID takes longer to pickle than all the rest."""
    return claim.id.bytes, *claim[1:]


def claim_from_wire(values: tuple[Any, ...]) -> Claim:
    """The claim that claim_to_wire() was given."""
    return Claim(UUID(bytes=values[0]), *values[1:])


def ended(number: int, finished: Finished) -> Ended:
    """What a child says of a finished attempt."""
    settlement = finished.settlement
    plain = settlement.move is Move.SUCCEED and settlement.result is None
    return Ended(number, finished.elapsed, None if plain else tuple(settlement[2:]))


def finished(claim: Claim, ended: Ended) -> Finished:
    """What the worker makes of that."""
    rest = ended.settlement or (Move.SUCCEED, "succeeded")
    return Finished(claim, Settlement(claim.id, claim.claim, *rest), ended.elapsed)
