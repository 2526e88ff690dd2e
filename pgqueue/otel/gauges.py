"""Numbers of the database and of workers as gauges of OpenTelemetry, by the names that Prometheus has, with dots."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from pgqueue.metrics.database import DatabaseNumbers
from pgqueue.metrics.names import METRICS, OF_DATABASE
from pgqueue.version import __version__
from pgqueue.worker import Worker

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider

# What a gauge counts, by how its name for Prometheus ends.
_UNITS = {"_seconds": "s", "_ratio": "1"}
_SAID = {
    "pgqueue.queue.jobs": "pgqueue_queue_jobs",
    "pgqueue.queue.jobs.exact": "pgqueue_queue_jobs_exact",
    "pgqueue.queue.oldest_ready": "pgqueue_queue_oldest_ready_seconds",
    "pgqueue.queue.backlog": "pgqueue_queue_backlog_seconds",
    "pgqueue.queue.paused": "pgqueue_queue_paused",
    "pgqueue.dead_jobs": "pgqueue_dead_jobs",
    "pgqueue.causes.new": "pgqueue_causes_new",
    "pgqueue.workers": "pgqueue_workers",
    "pgqueue.horizon.age": "pgqueue_horizon_age_seconds",
    "pgqueue.table.dead_rows": "pgqueue_table_dead_rows",
    "pgqueue.schedule.late": "pgqueue_schedule_late_seconds",
    "pgqueue.notify_queue.usage": "pgqueue_notify_queue_usage_ratio",
}
_OF_WORKER = {
    "pgqueue.worker.slots": ("pgqueue_worker_slots", "slots"),
    "pgqueue.worker.slots.busy": ("pgqueue_worker_slots_busy", "busy"),
    "pgqueue.worker.outcomes.buffered": ("pgqueue_worker_outcomes_buffered", "buffered"),
    "pgqueue.worker.lease.remaining": ("pgqueue_worker_lease_remaining_seconds", "lease_left"),
}
assert set(_SAID.values()) <= {metric.name for metric in OF_DATABASE}


def observe_database(dsn: str, *, meter_provider: MeterProvider | None = None) -> Callable[[], None]:
    """Tell what the database says, as gauges: `pgqueue.queue.jobs`, `pgqueue.workers` ...; answers what ends that.

    In one process for all. The database is asked when the gauges are read, at most once in five seconds, on a
    connection of their own.
    """
    numbers = DatabaseNumbers(dsn)
    meter = metrics.get_meter("pgqueue", __version__, meter_provider)
    ended = False

    def read(name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        labels = METRICS[name].labels

        def observed(_options: CallbackOptions) -> Iterable[Observation]:
            if ended:
                return
            for values, number in numbers.found().get(name, {}).items():
                # No number in the protocol; who sees the jobs and no workers knows.
                if math.isfinite(number):
                    yield Observation(number, dict(zip(labels, values, strict=True)))

        return observed

    def end() -> None:
        nonlocal ended
        ended = True
        numbers.close()

    for said, name in _SAID.items():
        meter.create_observable_gauge(said, [read(name)], _unit(name), METRICS[name].about)
    return end


def observe_worker(worker: Worker, *, meter_provider: MeterProvider | None = None) -> None:
    """Tell how busy a worker of this process is, as gauges: `pgqueue.worker.slots.busy` ..."""
    meter = metrics.get_meter("pgqueue", __version__, meter_provider)

    def read(field: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda _options: [Observation(getattr(worker.gauges(), field))]

    for said, (name, field) in _OF_WORKER.items():
        meter.create_observable_gauge(said, [read(field)], _unit(name), METRICS[name].about)


def _unit(name: str) -> str:
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "1")
