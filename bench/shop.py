"""The tasks of a month of history: two a queue, all of which return at once, so that workers can drain it."""

from __future__ import annotations

from typing import Any

import pgqueue

QUEUES = (
    *("bulk", "mail", "thumbnails", "webhooks", "search", "exports", "billing", "invoices", "payments", "sync"),
    *("reports", "video", "audio", "push", "sms", "imports", "geo", "fraud", "backup", "slow"),
)
VERBS = ("send", "check")
NAMES = tuple(f"{queue}_{verb}" for queue in QUEUES for verb in VERBS)
TARGETS = tuple(f"{__name__}:{name}" for name in NAMES)


def targets_of(queue: str) -> tuple[str, ...]:
    """The targets of a queue's jobs."""
    return tuple(f"{__name__}:{queue}_{verb}" for verb in VERBS)


def _task(name: str) -> Any:
    def nothing(**said: object) -> None:
        pass

    nothing.__name__ = nothing.__qualname__ = name
    return pgqueue.task(nothing)


globals().update({name: _task(name) for name in NAMES})
