"""What the other side is told of a job: one JSON object, the same for a program and for a server."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pgqueue.codec import encode
from pgqueue.context import JobContext
from pgqueue.outcome import Bury
from pgqueue.tasks import registered


def told(job: JobContext, takes: Callable[..., Any] | None) -> bytes:
    """The job that runs, as JSON in UTF-8, its arguments by the names of what `takes` them.

    Raises Bury if they do not fit, ArgumentError where a codec made more of them than JSON can say.
    """
    claim = job._claim
    task = registered(job.target)
    said = {
        "id": str(job.id),
        "attempt": job.attempt,
        "max_attempts": claim.most_attempts(None if task is None else task.terms.max_attempts),
        "deadline": deadline_of(job),
        "queue": job.queue,
        "target": job.target,
        "args": job.args if takes is None else _by_name(job.args, inspect.signature(takes)),
        "labels": dict(job.labels),
        "headers": _headers(claim.headers),
    }
    return encode(said, "job").encode()


def _by_name(args: list[Any] | dict[str, Any], signature: inspect.Signature) -> dict[str, Any]:
    """All of them, with defaults: whoever reads it need not know how they were given."""
    try:
        call = signature.bind(**args) if isinstance(args, dict) else signature.bind(*args)
    except TypeError as error:
        raise Bury(f"its arguments do not fit {signature}: {error}") from None
    call.apply_defaults()
    return dict(call.arguments)


def deadline_of(job: JobContext) -> str | None:
    """When its timeout ends, as ISO 8601 in UTC; None if it has none."""
    if job.deadline is None:
        return None
    left = timedelta(seconds=job.deadline - time.monotonic())
    return (datetime.now(UTC) + left).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _headers(text: str | None) -> dict[str, Any]:
    """What travels with the job: workers know it where something looks on, such as a tracer."""
    try:
        said = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
