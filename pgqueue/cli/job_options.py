"""What a new job may say, as options of every command that enqueues."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from pgqueue.cli.options import choice_option, duration_option
from pgqueue.cli.values import seconds_or_none


class Telling(StrEnum):
    """When a NOTIFY is sent."""

    ALWAYS = "always"
    IDLE = "idle"
    OFF = "off"


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
InQueue = Annotated[str | None, typer.Option("--queue", "-q", metavar="NAME", help="Where it waits.")]
Priority = Annotated[int | None, typer.Option("--priority", metavar="0-9", help="Higher runs first.")]
Delay = Annotated[timedelta | None, duration_option("--delay", "Not before so long from then.")]
Ttl = Annotated[timedelta | None, duration_option("--ttl", "Never started if not within this after due.")]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", metavar="TIME", parser=seconds_or_none, help="How long it may run; or none."),
]
MaxAttempts = Annotated[int | None, typer.Option("--max-attempts", metavar="N", help="Dead after so many.")]
LimitKey = Annotated[str | None, typer.Option("--limit-key", metavar="KEY", help="Jobs that share it share a limit.")]
Cost = Annotated[int | None, typer.Option("--cost", metavar="N", help="It counts as so many starts of a rate.")]
StoreResult = Annotated[bool, typer.Option("--store-result", help="Keep what the task returns, for a day.")]
Label = Annotated[list[str] | None, typer.Option("--label", metavar="K=V", help="A label; repeatable.")]
Notify = Annotated[Telling | None, choice_option("--notify", of=Telling, help="When idle workers are told of it.")]
