"""What a durable function is answered: its children, and what a human said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pgqueue.encryption import Kind, Place, decrypted, readable
from pgqueue.errors import JobFailed
from pgqueue.sealing import opened
from pgqueue.tasks import registered


@dataclass(frozen=True, slots=True)
class Child:
    """A job that a durable function has brought by spawn(), and may join()."""

    id: UUID
    target: str


@dataclass(frozen=True, slots=True)
class Approval:
    """What came of approve(): true if a human said yes. `answer` is what the human gave, `why` says why not.

    `timed_out`: nobody answered in time.
    """

    approved: bool
    answer: Any = None
    why: str | None = None
    timed_out: bool = False

    def __bool__(self) -> bool:
        return self.approved


def returned(child: Child, ended: Mapping[str, Any]) -> Any:
    """What a child returned, as its task says. Raises JobFailed, CodecError, ArgumentError."""
    if ended["state"] != "succeeded":
        raise failure(child, ended)
    value = opened(decrypted(ended["result"], Place(Kind.RESULT, child.id)))
    task = registered(child.target)
    return value if task is None else task.returned(value)


def failure(child: Child, ended: Mapping[str, Any]) -> JobFailed:
    """Why a child has not succeeded."""
    error = JobFailed(child.id, ended["state"], ended["reason"], None)
    words = readable(ended["error"], Place(Kind.ERROR, child.id))
    if said := ": ".join(filter(None, (ended["error_type"], words))):
        error.add_note(f"The last attempt of {child.target} raised {said}")
    return error


def approval(child: Child, ended: Mapping[str, Any] | None) -> Approval:
    """What a human said; None: nobody did."""
    if ended is None:
        return Approval(False, why="nobody answered in time", timed_out=True)
    if ended["state"] != "succeeded":
        return Approval(False, why=readable(ended["error"], Place(Kind.ERROR, child.id)) or ended["reason"])
    answer = decrypted(ended["result"], Place(Kind.RESULT, child.id))
    return Approval(answer is not False, answer, "the answer was no" if answer is False else None)
