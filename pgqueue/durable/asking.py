"""The question of a workflow to a human: a job that no worker runs, unless somebody gives it back to one."""

from __future__ import annotations

from typing import Any

from pgqueue.outcome import HUMAN
from pgqueue.tasks import task


class NeedsHuman(Exception):
    """Only a human can answer this."""


@task(max_attempts=1, fallback=HUMAN, expected=(NeedsHuman,), store_result=True)
def approval(question: str, workflow: str, about: Any = None) -> None:
    """Wait for a human again."""
    raise NeedsHuman(f"a human is asked: {question}")
