"""Tasks whose jobs die, for alerts about them."""

from __future__ import annotations

from pgqueue.tasks import task


@task(max_attempts=1)
def die(number: int, password: str = "") -> None:
    raise OSError(f"no route for {number}, by {password}")
