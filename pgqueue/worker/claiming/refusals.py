"""Refusals: what the database refuses, each alone, and when it is tried again: ever more rarely.

Whether it is the one that is wrong, or all of them, shows by the others: where so many in a row are refused and none is
accepted in between, the refusal is a general one, and nothing is to be blamed on those that met it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pgqueue.events import Trouble
from pgqueue.store.outages import in_words

K = TypeVar("K")

# Pauses between attempts double from the first to the last, seconds.
FIRST_PAUSE, LAST_PAUSE = 1.0, 600.0
# So many in a row: then it is not they that are wrong.
SEVERAL = 8
# What was refused for so long, while others were accepted, is given up. A migration that goes wrong is noticed before.
GIVE_UP_AFTER = 3600.0
TELL_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why and since when (monotonic) one is refused; `others` is how many had been accepted up to then."""

    error: str
    since: float
    others: int
    pause: float = FIRST_PAUSE
    retry_at: float = 0.0

    @property
    def seconds(self) -> float:
        """For how long it has been refused."""
        return time.monotonic() - self.since


class Refusals(Generic[K]):
    """The refused ones of one kind, `what` in words. Told of each answer; decides when each is tried again.

    `named` is what people call one of them by its key.
    """

    def __init__(self, what: Callable[[int], str], named: Callable[[K], object] = lambda key: key) -> None:
        self._what = what
        self._named = named
        self.give_up_after = GIVE_UP_AFTER
        self._refused: dict[K, Refusal] = {}
        self._accepted = 0
        self._in_a_row = 0
        # How many refusals there ever were.
        self.count = 0
        self._told_at = -TELL_EVERY

    def __len__(self) -> int:
        return len(self._refused)

    def __contains__(self, key: K) -> bool:
        return key in self._refused

    def __getitem__(self, key: K) -> Refusal:
        return self._refused[key]

    @property
    def general(self) -> bool:
        """Whether all that was tried lately was refused."""
        return self._in_a_row >= SEVERAL and bool(self._refused)

    def refuse(self, key: K, error: BaseException) -> None:
        """This one was refused, alone."""
        now = time.monotonic()
        before = self._refused.pop(key, None)
        if before is None:
            refusal = Refusal(in_short(error), now, self._accepted)
        else:
            refusal = replace(before, error=in_short(error), pause=min(2 * before.pause, LAST_PAUSE))
        self._refused[key] = replace(refusal, retry_at=now + refusal.pause * random.uniform(0.8, 1.0))
        self._in_a_row += 1
        self.count += 1

    def accept(self, keys: Iterable[K] = ()) -> None:
        """Something was accepted, and if they had been refused, these: then what was refused likewise may be, too."""
        self._in_a_row = 0
        self._accepted += 1
        for key in keys if self._refused else ():
            if (mended := self._refused.pop(key, None)) is not None:
                self._refused = {
                    other: replace(refusal, retry_at=0.0) if refusal.error == mended.error else refusal
                    for other, refusal in self._refused.items()
                }

    def forget(self, keys: Iterable[K]) -> None:
        """These are there no more."""
        for key in keys:
            self._refused.pop(key, None)

    def due(self) -> list[K]:
        """Those that are to be tried now, the longest refused first; but one of them where the refusal is general."""
        if self.general:
            return [min(self._refused, key=lambda key: self._refused[key].retry_at)]
        now = time.monotonic()
        return [key for key, refusal in self._refused.items() if refusal.retry_at <= now]

    def passed_by(self) -> list[K]:
        """All of them, due or not."""
        return list(self._refused)

    def is_hopeless(self, key: K) -> bool:
        """Whether it has been refused for long, and others were accepted meanwhile."""
        refusal = self._refused.get(key)
        if refusal is None or refusal.seconds < self.give_up_after:
            return False
        return self._accepted > refusal.others

    def news(self) -> Trouble | None:
        """What is worth telling now: once a minute while there are any."""
        now = time.monotonic()
        if not self._refused or now - self._told_at < TELL_EVERY:
            return None
        self._told_at = now
        first, why = next(iter(self._refused.items()))
        return Trouble(
            "claimer",
            f"the database refuses {self._what(len(self._refused))}, first {self._named(first)}: {why.error}",
            "set aside; tried again ever more rarely",
        )


def in_short(error: BaseException) -> str:
    """An error in one line, for a log and for a row of history."""
    return in_words(error)[:300]
