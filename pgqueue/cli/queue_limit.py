"""`pgqueue queues limit`: how many jobs of a queue may run at once, start in a time, or be there at all."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from pgqueue.acting import queues as steering
from pgqueue.cli.acting import Reason, actor
from pgqueue.cli.database import connected
from pgqueue.cli.limit_page import in_words
from pgqueue.cli.limits import Burst, Concurrency, Rate
from pgqueue.cli.options import Dsn, choice_option
from pgqueue.cli.telling import tell
from pgqueue.cli.values import number_or_none
from pgqueue.limits import OnFull as Word
from pgqueue.store import execute, limits


class OnFull(StrEnum):
    """What becomes of a job that comes into a full queue."""

    RAISE = "raise"
    DROP_OLDEST = "drop_oldest"


_WORDS: dict[OnFull | None, Word] = {OnFull.RAISE: "raise", OnFull.DROP_OLDEST: "drop_oldest"}


def limit(
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="The queue's name.")],
    concurrency: Concurrency = None,
    rate: Rate = None,
    burst: Burst = None,
    max_size: Annotated[
        int | None,
        typer.Option("--max-size", metavar="N", parser=number_or_none, help="At most so many live jobs; or none."),
    ] = None,
    on_full: Annotated[
        OnFull | None, choice_option("--on-full", of=OnFull, help="Refuse the new (usual), or drop the oldest.")
    ] = None,
    reason: Reason = None,
    dsn: Dsn = None,
) -> None:
    """Limit a queue, or say its limits. What is not said stays as it was; `none` lifts a limit."""
    with connected(dsn) as conn:
        steering.limit(
            conn,
            actor(reason),
            queue,
            concurrency=concurrency,
            rate=rate,
            burst=burst,
            max_size=max_size,
            on_full=_WORDS.get(on_full),
        )
        row = execute(conn, limits.get("queue", queue))
        size = execute(conn, limits.size_of(queue))
    said = [] if row is None or in_words(row) == "no limit" else [in_words(row)]
    if size is not None:
        said.append(f"max size {size[0]}, on full {size[1]}")
    limit_ = None if row is None else asdict(row)
    full = {"max_size": size[0], "on_full": size[1]} if size is not None else {}
    tell(f"{queue}: {', '.join(said) or 'no limit'}", queue=queue, limit=limit_, **full)
