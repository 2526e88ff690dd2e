"""What a job was given, returned and said, as far as it may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pgqueue.dashboard.tracebacks import Part, parts_of
from pgqueue.exact_json import written
from pgqueue.leaving_out import without
from pgqueue.record import Attempt, Explanation
from pgqueue.redaction import Redacted, Redaction, echoing

# What is not read may hold secrets.
TOO_LARGE = Redacted(None, "", None, is_readable=False)


@dataclass(frozen=True, slots=True)
class AttemptTold:
    """An attempt, how long it took, and its traceback in parts."""

    row: Attempt
    took: timedelta | None
    parts: Sequence[Part]


def given(redaction: Redaction, target: str, text: str | None) -> Redacted:
    """Arguments of a job, without their secrets."""
    return TOO_LARGE if text is None else redaction.of_args(target, text)


def returned(redaction: Redaction, text: str | None, secrets: frozenset[str] | None) -> Redacted | None:
    """A result, without its secrets and those of the arguments; None if none is stored."""
    if text is None:
        return None
    if not text:
        return TOO_LARGE
    found = redaction.of_json(text)
    if not found.is_readable:
        return replace(found, text=without(found.text, secrets) or "")
    clean = echoing(found.value, lambda text: without(text, secrets))
    return replace(found, value=clean, text=written(clean))


def told_without(secrets: frozenset[str] | None, found: Explanation) -> Explanation:
    """Why a job is where it is, without the secrets of its arguments."""
    return Explanation(tuple(replace(each, text=without(each.text, secrets) or "") for each in found.findings))


def attempts_of(rows: Iterable[Attempt], secrets: frozenset[str] | None) -> list[AttemptTold]:
    """Attempts, the newest first, without the secrets of their job's arguments."""
    told = []
    for row in rows:
        clean = replace(row, error=without(row.error, secrets), traceback=without(row.traceback, secrets))
        took = None if row.started_at is None else row.finished_at - row.started_at
        told.append(AttemptTold(clean, took, parts_of(clean.traceback) if clean.traceback else ()))
    return told[::-1]
