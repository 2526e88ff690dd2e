"""What once() tells its block: whether it is the first, and else what is known of the one before."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pgqueue.codec import encode
from pgqueue.encryption import decrypted, encrypted
from pgqueue.errors import ArgumentError, UsageError
from pgqueue.ledger.terms import Terms
from pgqueue.store.effects import Met

# Bytes of what is kept with a key, as JSON.
LARGEST = 65_536


class First:
    """True if the block is to do it: `with job.once(key) as first:`, `if first: ...`.

    Else `done_at` says when it was done, `job_id` by which job (None: not by a job), `value` what was kept then. With
    `is_unknown` an attempt of `job_id` began it at `reserved_at` and nobody knows how far it came.
    """

    __slots__ = (
        "_kept",
        "_runs",
        "_terms",
        "_value",
        "attempt",
        "done_at",
        "is_unknown",
        "job_id",
        "key",
        "reserved_at",
    )

    def __init__(self, terms: Terms, met: Met, runs: bool) -> None:
        self._terms = terms
        self._runs = runs
        self._value = met.value
        # As JSON, if something is to be kept.
        self._kept: str | None = None
        self.key = terms.key
        self.is_unknown = met.standing == "unknown"
        self.done_at: datetime | None = met.done_at if met.standing == "done" else None
        self.reserved_at: datetime | None = None if met.standing == "first" else met.reserved_at
        self.job_id: UUID | None = None if met.standing == "first" else met.job_id
        self.attempt: int | None = None if met.standing == "first" else met.attempt

    def __bool__(self) -> bool:
        return self._runs

    def __repr__(self) -> str:
        stands = "first" if self._runs else "unknown" if self.is_unknown else f"done at {self.done_at}"
        return f"<First {self.key!r} {stands}>"

    @property
    def value(self) -> Any:
        """What came of it. Set it in a block that is the first, to JSON of at most 64 KB; others read it.

        Raises EncryptionError if it was encrypted with a key that is not here.
        """
        return decrypted(self._value, self._terms.place)

    @value.setter
    def value(self, value: object) -> None:
        if not self._runs:
            raise UsageError(f"{self.key!r} is not done here, so nothing new came of it; set value under `if first:`")
        text = encode(value, "value")
        if self._terms.encrypted:
            text = encrypted(text, self._terms.place)
        if (size := len(text.encode())) > LARGEST:
            raise ArgumentError(f"value is {size:,} bytes of JSON, and {LARGEST:,} are kept; keep a reference to it")
        self._value, self._kept = value, text
