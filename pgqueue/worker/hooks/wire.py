"""The events that hooks are told of, as JSON has them, on their way to the process that calls hooks."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pgqueue.events import Begun, Finished, WorkerStarted, WorkerStopping
from pgqueue.hooks import Told
from pgqueue.outcome import Move, Settlement
from pgqueue.worker.executors.process.wire import claim_from_wire, claim_to_wire

# A longer result is not handed on: it can be asked for.
LONGEST_RESULT = 64 * 1024
_OF_WORKERS = {kind.__name__: kind for kind in (WorkerStarted, WorkerStopping)}


def told_to_wire(told: Told) -> list[Any]:
    """An event as a list, its kind in front."""
    match told:
        case Finished(claim, settlement, elapsed, ended):
            if settlement.result is not None and len(settlement.result) > LONGEST_RESULT:
                settlement = settlement._replace(result=None)
            if settlement.brings is not None:
                settlement = settlement._replace(brings=None)
            return ["Finished", claim_to_wire(0, claim), settlement[2:], elapsed, ended]
        case Begun(claim):
            return ["Begun", claim_to_wire(0, claim)]
        case _:
            return [type(told).__name__, asdict(told)]


def told_from_wire(said: list[Any]) -> Told:
    """The event that told_to_wire() was given."""
    match said:
        case ["Finished", claim, [move, *rest], elapsed, ended]:
            _, back = claim_from_wire(claim)
            return Finished(back, Settlement(back.id, back.claim, Move(move), *rest), elapsed, ended)
        case ["Begun", claim]:
            return Begun(claim_from_wire(claim)[1])
        case [kind, values]:
            return _OF_WORKERS[kind](**values)
    raise ValueError(f"no event: {said!r:.80}")
