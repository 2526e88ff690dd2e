"""Where an encrypted value belongs: it can be read there, and nowhere else."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pgqueue.errors import EncryptionError

# A job's id; or, of what becomes a job's only later, the target.
Owner = UUID | str


class Kind(StrEnum):
    """What a value is; the text is a part of what is authenticated, and never changes."""

    ARGS = "args"  # all arguments of a job
    ARGUMENT = "argument"  # one of them, beside others that the database fills in
    TEMPLATE = "template"  # the arguments of whatever job a schedule or a follow-up makes
    RESULT = "result"
    ERROR = "error"
    TRACEBACK = "traceback"
    CHECKPOINT = "checkpoint"
    STEP = "step"
    SIGNAL = "signal"
    NOTE = "note"  # of progress
    LINE = "line"  # of a job's log
    EFFECT = "effect"


class Place(NamedTuple):
    """A kind of value, whose it is, and which of several: a step's name, a line's number."""

    kind: Kind
    owner: Owner
    detail: str = ""

    def associated(self) -> bytes:
        """What is authenticated beside the value. No part can hold the NUL between them: PostgreSQL's texts do not."""
        said = f"pgqueue\0{self.kind}\0{_written(self.owner)}\0{self.detail}"
        if said.count("\0") != 3:
            raise EncryptionError("a name with a NUL in it has no encrypted values", lasting=True)
        return said.encode(errors="surrogatepass")


def line_detail(claim: int, seq: int) -> str:
    """Which line of a job's log."""
    return f"{claim}:{seq}"


def effect_owner(scope: str, key: str) -> str:
    """Whose the value of an effect is."""
    return f"effect {len(scope)} {scope} {key}"


def _written(owner: Owner) -> str:
    return f"job {owner.hex}" if isinstance(owner, UUID) else f"task {owner}"
