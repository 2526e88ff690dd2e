"""What calls in this process enqueue, for its own registry of Prometheus: extra `prometheus`."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from pgqueue import instruments
from pgqueue.context import JobContext
from pgqueue.instruments import Headers
from pgqueue.job import DEFAULT_QUEUE, Claim, NewJob
from pgqueue.metrics import families
from pgqueue.metrics.families import histograms, numbers
from pgqueue.metrics.series import Durations, Pair, bounded

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client import Metric as Family


def register(registry: CollectorRegistry) -> None:
    """Count what this process enqueues from now on, and tell it with whatever else is in the registry.

    Raises UsageError without the extra.
    """
    families.require()
    registry.register(_counted)
    instruments.install(_counted)


def unregister(registry: CollectorRegistry) -> None:
    """Count no more."""
    instruments.remove(_counted)
    registry.unregister(_counted)


class _Counted:
    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards what follows
        self._jobs: Counter[Pair] = Counter()
        self._queues: set[str] = set()
        self._durations: dict[str, Durations] = {}

    def describe(self) -> list[Family]:
        """Nothing: what there is, is known when it is collected."""
        return []

    def collect(self) -> Iterable[Family]:
        """All that was counted so far."""
        with self._lock:
            jobs = dict(self._jobs)
            durations = {(queue,): found.told() for queue, found in self._durations.items()}
        yield numbers("pgqueue_jobs_enqueued_total", jobs)
        yield histograms("pgqueue_enqueue_duration_seconds", durations)

    def sending(self, new_jobs: Sequence[NewJob], server: tuple[str, int] | None) -> _Sending:
        """A call begins."""
        return _Sending(self, new_jobs)

    def running(self, job: JobContext, claim: Claim, headers: Headers) -> None:
        """Attempts are counted by workers."""

    def count(self, new_jobs: Sequence[NewJob], seconds: float) -> None:
        """A call has ended well."""
        with self._lock:
            for new in new_jobs:
                pair = bounded((new.queue or DEFAULT_QUEUE, new.name), self._jobs, self._queues)
                self._jobs[pair] += 1
            self._durations.setdefault(pair[0], Durations()).add(seconds)


class _Sending:
    def __init__(self, counted: _Counted, new_jobs: Sequence[NewJob]) -> None:
        self._counted = counted
        self._new_jobs = new_jobs
        self._began = time.monotonic()
        self.headers: Sequence[Headers] = [{}] * len(new_jobs)

    def ended(self, ids: Sequence[UUID], error: BaseException | None) -> None:
        """The call has ended."""
        if error is None and self._new_jobs:
            self._counted.count(self._new_jobs, time.monotonic() - self._began)


_counted = _Counted()
