"""The workload: what producers ask for, drawn from a seed. The same seed gives the same transactions, in order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pgqueue.verify import limiting

# So few that they are often taken.
KEYS = tuple(f"key {number}" for number in range(6))
# Keys that outlive their jobs, for so many seconds after these fall due.
WINDOWS = tuple(f"window {number}" for number in range(3))
WINDOW = 4.0
# One that is free again at the start of its job, asked for in every so-manieth transaction: most meet it waiting.
START = "start"
START_SHARE = 0.15
MOST_DWELL = 1.0


class Fate(StrEnum):
    """How a transaction ends."""

    COMMIT = "commit"
    ROLLBACK = "rollback"
    CUT_BEFORE = "cut before COMMIT"  # the connection ends before the server hears of the COMMIT
    CUT_AFTER = "cut after COMMIT"  # the server has committed, and the producer does not hear of it
    CUT_RACE = "cut at COMMIT"  # the COMMIT is on its way when the connection ends


CUTS = (Fate.CUT_BEFORE, Fate.CUT_AFTER, Fate.CUT_RACE)


@dataclass(frozen=True, slots=True)
class Piece:
    """One job to ask for: its kind is the name of its task, but for the suffix `_async`."""

    task: str
    args: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.task.removesuffix("_async")

    @property
    def fails(self) -> int:
        """How many attempts fail by themselves."""
        return int(self.args[1]) if self.task == "fails" else int(self.task == "overruns")


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction: its jobs, those in a savepoint that is rolled back, its end, and the pause after it.

    For `dwell` seconds it does something else between its jobs and its end.
    """

    pieces: tuple[Piece, ...]
    undone: tuple[Piece, ...]
    fate: Fate
    at_once: bool
    pause: float
    dwell: float = 0.0


# Task and weight; what takes a while is caught by faults in the middle.
TASKS = {
    "plain": 26,
    "plain_async": 10,
    "effect": 20,
    "effect_async": 10,
    "completes": 8,
    "fails": 12,
    "retries": 3,
    "snoozes": 3,
    "overruns": 5,
    "once": 4,
    "buries": 3,
    "cancels": 3,
    "fans_out": 6,
    "answers": 6,
    "brings": 6,
    "brings_along": 4,
    "followed": 6,
    "sends": 6,
    "sends_along": 4,
    "lasts": 6,
    "joins": 6,
}
# Of those that faults wait for, more are long than of the others.
LONG = {"once": 0.8, "fails": 0.5, "effect": 0.4}
FATES = {Fate.COMMIT: 70, Fate.ROLLBACK: 15, Fate.CUT_BEFORE: 4, Fate.CUT_AFTER: 7, Fate.CUT_RACE: 4}


def batches(seed: int, producer: int, rate: float) -> Iterator[Batch]:
    """The transactions of one producer, without end; about `rate` of them a second."""
    dice = random.Random(f"{seed} producer {producer}")
    while True:
        count = dice.choice((1, 1, 1, 2, 3, 6))
        fate = dice.choices(list(FATES), list(FATES.values()))[0]
        # At most one key a transaction: two of them in two orders would be a deadlock of the producers' own making.
        chance = dice.random()
        key = START if chance < START_SHARE else dice.choice(KEYS + WINDOWS) if chance < START_SHARE + 0.2 else None
        pieces = tuple(piece(dice, key if number == 0 else None) for number in range(count))
        undone = (piece(dice),) if dice.random() < 0.1 else ()
        at_once = key is None and count > 2
        # A request that finds a job waiting is to be seen by its run, however long it takes to commit.
        dwell = dice.uniform(0.0, MOST_DWELL) if key == START else 0.0
        yield Batch(pieces, undone, fate, at_once, dice.expovariate(rate), dwell)


def sample() -> list[Piece]:
    """Some jobs of every kind, for a quiet run."""
    dice = random.Random("sample")
    pieces = [Piece(task, arguments(task, 0.05, dice), {}) for task in TASKS for _ in range(2)]
    pieces += [Piece("plain", (0.0,), {"delay": 0.5}), Piece("fails", (0.0, 1), {})]
    # Keys of its own: one of the workload's might be asked for while this one lives.
    pieces += [Piece("plain", (0.0,), {"unique_key": f"sample {number}"}) for number in range(2)]
    for key, options in ("window", {"unique_for": WINDOW}), ("start", {"unique_until": "start"}):
        pieces += [Piece("plain", (0.0,), {"unique_key": f"sample {key} {number}", **options}) for number in range(2)]
    pieces += [Piece("plain", (0.0,), {"limit_key": key}) for key in ("share sample", "rate sample")]
    pieces += [Piece("plain", (0.4,), {"limit_key": "lane sample"}) for _ in range(2)]
    return pieces


def piece(dice: random.Random, key: str | None = None) -> Piece:
    """One job, drawn."""
    place = limiting.place(dice)
    if place.in_lane and key is None:
        task = dice.choice(limiting.LANE_TASKS)
        seconds = round(dice.uniform(0.0, limiting.LANE_SECONDS), 3)
        return Piece(task, arguments(task, seconds, dice), place.options)
    task = dice.choices(list(TASKS), list(TASKS.values()))[0]
    # Most are short; the long ones outlast a lease together with their second attempt.
    is_long = dice.random() < LONG.get(task, 0.3)
    seconds = round(dice.uniform(0.8, 3.0) if is_long else dice.uniform(0.0, 0.1), 3)
    options: dict[str, Any] = {"queue": dice.choice(("a", "b")), "priority": dice.randint(0, 9)}
    if not place.in_lane:
        options |= place.options
    chance = dice.random()
    if chance < 0.12:
        options["delay"] = round(dice.uniform(0.1, 3.0), 3)
    elif chance < 0.18:
        options["ttl"] = round(dice.uniform(0.2, 2.0), 3)
    if key is not None:
        options["unique_key"] = key
        if key in WINDOWS:
            options["unique_for"] = WINDOW
        elif key == START:
            options["unique_until"] = "start"
            # Found while it waits, and begun as soon as it is due: while those that found it have not committed.
            options["priority"] = 9
            if "ttl" not in options:
                options["delay"] = round(dice.uniform(0.2, 1.5), 3)
    return Piece(task, arguments(task, seconds, dice), options)


def arguments(task: str, seconds: float, dice: random.Random) -> tuple[Any, ...]:
    """What the task is called with."""
    return (seconds, dice.randint(1, 2)) if task == "fails" else (seconds,)
