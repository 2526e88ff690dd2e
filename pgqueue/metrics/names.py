"""Every metric: its name, its kind, its labels and what it means. Names of labels have few values, never an id."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One family of series; `name` is as Prometheus stores it, of a counter with `_total`."""

    name: str
    kind: str
    labels: tuple[str, ...]
    about: str


def _made(kind: str, name: str, labels: str, about: str) -> Metric:
    return Metric(f"pgqueue_{name}", kind, tuple(labels.split()), about)


OF_WORKER = (
    _made("counter", "attempts_total", "queue target outcome", "Attempts that ended, as the database acknowledged"),
    _made("counter", "fallbacks_total", "target fallback", "Jobs given to other code, or to a human"),
    _made("histogram", "attempt_duration_seconds", "queue target", "How long attempts ran"),
    _made("histogram", "wait_seconds", "queue target", "How long jobs were due before they began"),
    _made("counter", "late_attempts_total", "", "Attempts whose lease had gone when they ended"),
    _made("gauge", "worker_slots", "", "Jobs that may run at a time"),
    _made("gauge", "worker_slots_busy", "", "Jobs that run"),
    _made("gauge", "worker_outcomes_buffered", "", "Outcomes that are not written down yet"),
    _made("gauge", "worker_lease_remaining_seconds", "", "How long the lease may still be believed in"),
    _made("histogram", "step_duration_seconds", "", "How long statements took that settle jobs and claim the next"),
    _made("histogram", "heartbeat_duration_seconds", "", "How long heartbeats took to be answered"),
    _made("counter", "children_ended_total", "how", "Child processes that ended unasked"),
    _made("counter", "database_lost_total", "role", "How often the database was lost or refused"),
    _made("info", "worker_info", "version release executor python", "What this worker is"),
)

OF_DATABASE = (
    _made("gauge", "queue_jobs", "queue state", "Jobs by state; dead ones, too"),
    _made("gauge", "queue_jobs_exact", "queue state", "1 where the number was counted, 0 where it is estimated"),
    _made("gauge", "queue_oldest_ready_seconds", "queue", "How long the oldest ready job has been due"),
    _made("gauge", "queue_backlog_seconds", "queue", "How long the slots that serve it need for what is ready"),
    _made("gauge", "queue_paused", "queue", "1 while it is paused"),
    _made("gauge", "dead_jobs", "queue", "Dead jobs"),
    _made("gauge", "manual_jobs", "", "Jobs that wait for a human, counted up to 10,000"),
    _made("gauge", "manual_oldest_seconds", "", "For how long the oldest of them has waited"),
    _made("gauge", "workflows_failed", "", "Workflows that have failed, of the first 1,000 with dead jobs"),
    _made("gauge", "causes_new", "", "Causes of failures that were first met within the last hour"),
    _made("gauge", "alerts_open", "kind", "Alerts that are open: what is wrong now"),
    _made("gauge", "workers", "state", "Workers: alive, quiet, lost"),
    _made("gauge", "horizon_age_seconds", "", "For how long the oldest transaction has kept dead rows from removal"),
    _made("gauge", "table_dead_rows", "table", "Dead rows of pgqueue's tables, as PostgreSQL estimates"),
    _made("gauge", "schedule_late_seconds", "schedule", "For how long a tick has been due and not fired"),
    _made("gauge", "notify_queue_usage_ratio", "", "How full the queue of notifications is"),
    _made("gauge", "scrape_duration_seconds", "", "How long the database was asked for these"),
    _made("counter", "scrape_errors_total", "", "How often it could not be asked"),
)

OF_PRODUCER = (
    _made("counter", "jobs_enqueued_total", "queue target", "Jobs that calls here enqueued, committed or not"),
    _made("histogram", "enqueue_duration_seconds", "queue", "How long those calls took"),
)

METRICS = {metric.name: metric for metric in (*OF_WORKER, *OF_DATABASE, *OF_PRODUCER)}
