"""The options about a unique key, for every command that enqueues."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from pgqueue.cli.options import choice_option, duration_option


class Made(StrEnum):
    """What a unique key is made of."""

    ARGS = "args"


class Until(StrEnum):
    """Until when a job holds its unique key."""

    END = "end"
    START = "start"


class Conflict(StrEnum):
    """What becomes of a call whose unique key is taken."""

    KEEP = "keep"
    REPLACE = "replace"
    RAISE = "raise"


UniqueKey = Annotated[str | None, typer.Option("--unique-key", metavar="KEY", help="At most one live job has it.")]
Unique = Annotated[
    Made | None, choice_option("--unique", of=Made, help="Make the unique key from target and arguments.")
]
UniqueUntil = Annotated[
    Until | None, choice_option("--unique-until", of=Until, help="When the key is free again; at its end.")
]
UniqueFor = Annotated[
    timedelta | None, duration_option("--unique-for", "The key is taken so long after due, whatever ended.")
]
OnConflict = Annotated[
    Conflict | None, choice_option("--on-conflict", of=Conflict, help="What if the key is taken; keep.")
]
MaxWait = Annotated[timedelta | None, duration_option("--max-wait", "How long asking again may put a job off; 1m.")]
