"""Tasks that say themselves what their errors mean."""

from __future__ import annotations

from typing import Any

from pgqueue.outcome import Bury, Cancel
from pgqueue.retry import Fixed
from pgqueue.tasks import task


class NotFound(Exception):
    """A part of the work."""


@task(max_attempts=2, retry=Fixed(0.05, jitter=0), expected=(NotFound,))
def look_up(name: str) -> None:
    raise NotFound(f"no {name}") if name != "odd" else LookupError("odd")


def when(attempt: int, error: BaseException) -> Any:
    if attempt == 1:
        return 0.05
    verdicts = {"bury": Bury, "cancel": Cancel("not any more"), "policy": None, "nonsense": "soon"}
    if str(error) == "raise":
        raise RuntimeError("retry_in itself")
    return verdicts[str(error)]


@task(max_attempts=3, retry=Fixed(0.05), retry_in=when)
def ask(verdict: str) -> None:
    raise ValueError(verdict)


@task
def bare() -> None:
    """Declared anew, again and again."""
