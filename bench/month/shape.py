"""How much of everything a month holds, what its things are called, and its clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from itertools import accumulate
from random import Random

from bench.shop import QUEUES, TARGETS

DAY = 86_400_000
MINUTE = 60_000
WORKERS, EACH = 40, 8
TENANTS = 400


@dataclass(frozen=True)
class Month:
    """`now` is when it ends, milliseconds since 1970; `scale` 1 are five million jobs that are ready."""

    now: int
    scale: float = 1.0
    seed: int = 1

    @property
    def ready(self) -> int:
        """Jobs that are due, of which so many run."""
        return max(1000, round(5_000_000 * self.scale))

    @property
    def later(self) -> int:
        """Jobs that are not due; a third of them have failed before."""
        return max(200, round(200_000 * self.scale))

    @property
    def attempts(self) -> int:
        """Attempts in the history."""
        return max(1000, round(5_000_000 * self.scale))

    @property
    def dead(self) -> int:
        """Dead jobs."""
        return max(500, round(1_000_000 * self.scale))

    @property
    def days(self) -> int:
        """Days of tallies and depths."""
        return max(3, round(90 * min(1.0, 20 * self.scale)))

    @property
    def acts(self) -> int:
        """Rows of the audit."""
        return max(200, round(20_000 * self.scale))

    def random(self, what: str) -> Random:
        """Chance for one part of it, whatever the others draw."""
        return Random(f"{self.seed} {what}")

    @cached_property
    def workers(self) -> list[int]:
        """Their ids."""
        chance = self.random("workers")
        return [chance.getrandbits(62) for _ in range(WORKERS)]

    @cached_property
    def causes(self) -> list[tuple[str, str, str]]:
        """Why jobs fail: the cause, the target, the error's type; the first ones make most of the trouble."""
        count = max(24, min(2_400, self.dead // 20))
        types = ("builtins.ConnectionError", "builtins.TimeoutError", "builtins.KeyError", "shop.errors.Declined")
        return [
            (sha256(f"{self.seed} {n}".encode()).hexdigest()[:12], TARGETS[n * 7 % len(TARGETS)], types[n % 4])
            for n in range(count)
        ]


# The first queues are the fullest: of the jobs, the second has half as many as the first, the third a third.
QUEUE_WEIGHTS = list(accumulate(1 / rank for rank in range(1, len(QUEUES) + 1)))


def job_id(at: int, number: int, noise: int) -> str:
    """A version 7 UUID of a millisecond: what is numbered upwards comes in that order."""
    return f"{at:012x}7{number & 0xFFF:03x}8{noise:015x}"


def milliseconds(at: datetime) -> int:
    """A moment as the month's clock has it."""
    return round(at.timestamp() * 1000)


class Clock:
    """Milliseconds since 1970 as PostgreSQL reads them; for hundreds of thousands a second."""

    def __init__(self) -> None:
        self._minutes: dict[int, str] = {}

    def __call__(self, at: int) -> str:
        minute, rest = divmod(at, MINUTE)
        said = self._minutes.get(minute)
        if said is None:
            said = f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=minute):%Y-%m-%d %H:%M:}"
            self._minutes[minute] = said
        return f"{said}{rest / 1000:06.3f}+00"
