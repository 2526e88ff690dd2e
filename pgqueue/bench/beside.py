"""The figures in which other queues and ours stand side by side: equal sizes, warm-up and samples, one way to measure.

They are not those that are compared with the ceilings: of these there is more of everything than a slow queue can do.
"""

from __future__ import annotations

from dataclasses import dataclass

DRAIN = "drain beside others"
BULK = "bulk beside others"
HEARD = "enqueue beside others, 1 client, a worker listening"
PICK_UP = "pick-up beside others"


@dataclass(frozen=True, slots=True)
class Rival:
    """A durable peer that was measured beside us."""

    name: str
    python: bool


def enqueue(number: int) -> str:
    """The name of the figure for so many clients."""
    return f"enqueue beside others, {number} client{'s' if number > 1 else ''}"


def ours(executor: str) -> str:
    """Whose figure it is where it is ours."""
    return f"pgqueue, {executor}"
