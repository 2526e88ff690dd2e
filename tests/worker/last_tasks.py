"""Tasks that note when they begin."""

from __future__ import annotations

from pgqueue.retry import Fixed
from pgqueue.tasks import task


def _note(path: str, number: int) -> None:
    with open(path, "a") as file:
        file.write(f"{number}\n")


@task(retry=Fixed(0.05))
def note(path: str, number: int) -> None:
    _note(path, number)


@task(max_attempts=1)
def note_once(path: str, number: int) -> None:
    _note(path, number)


@task(at_most_once=True)
def note_at_most_once(path: str, number: int) -> None:
    _note(path, number)
