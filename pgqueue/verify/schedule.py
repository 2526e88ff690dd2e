"""The schedule of faults, drawn from a seed: the same seed gives the same faults at the same times."""

from __future__ import annotations

import random
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What can happen."""

    KILL_WORKER = "workers killed"
    KILL_ONCE = "workers killed with a job that runs at most once"
    KILL_WROTE = "processes killed between effect and commit"
    KILL_CHILD = "children killed while they ran a job"
    STOP_WORKER = "workers stopped until another had their job"
    STOP_ALL = "all workers stopped past their leases"
    TERM_WORKER = "workers told to end"
    KILL_BACKEND = "backends terminated one by one"
    KILL_BACKENDS = "all backends terminated"
    CUT = "workers whose links were cut"
    LOSE_REPLIES = "workers whose replies were lost"
    SILENCE = "workers whose links went silent"
    RESTART_FAST = "restarts (fast)"
    RESTART_IMMEDIATE = "restarts (immediate)"
    OUTAGE = "outages longer than a lease"


OF_THE_SERVER = (Kind.RESTART_FAST, Kind.RESTART_IMMEDIATE, Kind.OUTAGE)
# How often each comes in a round; what leaves the most subtle traces comes most often.
WEIGHTS = dict.fromkeys(Kind, 1) | {Kind.STOP_WORKER: 4, Kind.KILL_CHILD: 2, Kind.LOSE_REPLIES: 2, Kind.SILENCE: 2}
# Faults of a roll below this do not wait for the workers to recover from earlier ones.
HASTE = 0.3
# Seconds from one to the next: long enough to recover now and then, short enough to be hit while recovering.
SHORTEST, LONGEST = 0.5, 4.0


class Fault(NamedTuple):
    """One fault: when, seconds of the storm's clock; what; and a number from 0 to 1 that chooses whom it hits."""

    at: float
    kind: Kind
    roll: float

    @property
    def is_hasty(self) -> bool:
        return self.roll < HASTE


def schedule(seed: int, seconds: float, *, owns_server: bool) -> list[Fault]:
    """The faults of a run of so many seconds. Every kind comes once in each round, in an order of its own."""
    dice = random.Random(f"{seed} faults")
    deck = [kind for kind in Kind for _ in range(WEIGHTS[kind]) if owns_server or kind not in OF_THE_SERVER]
    faults: list[Fault] = []
    at = dice.uniform(SHORTEST, LONGEST)
    while True:
        for kind in dice.sample(deck, len(deck)):
            if at >= seconds:
                return faults
            faults.append(Fault(round(at, 3), kind, dice.random()))
            at += dice.uniform(SHORTEST, LONGEST)
