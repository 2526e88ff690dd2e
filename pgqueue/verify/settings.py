"""What a verification is to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pgqueue.verify.planted_bugs import PlantedBug

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What to run: `dsn` None is an embedded server of its own; `kept` is a folder that stays, with the database."""

    dsn: str | None = field(repr=False)
    minutes: float
    seed: int
    plant: PlantedBug | None = None
    keep: bool = False
    say: Say
    say_fault: Say
