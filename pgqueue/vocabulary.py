"""What other queues call things: the word to use here, for whoever writes theirs."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

from pgqueue.errors import OptionError

C = TypeVar("C", bound=type)

_POLICY = "say @task(retry=pgqueue.Backoff(...)), or another policy"
_RUN_AT = "a moment is run_at here"
_DELAY = "a wait is delay here, in seconds or as a timedelta"
_MAX_ATTEMPTS = "say max_attempts, which counts the first attempt, too"
_TTL = "say ttl: how long after it falls due the job may still start"
_TIMEOUT = "say timeout, in seconds or as a timedelta"
_UNIQUE = "say unique_key: at most one live job has it"
_WINDOW = "say unique_for: how long the unique key is taken, whatever becomes of the job"
_CONFLICT = "say on_conflict: what a call does that meets its unique key taken"
_JOB_ID = "say job_id, a uuid.UUID"
_ARGS = "give the job's arguments as args: a list is positional, a mapping by keyword"
_RESULT = "say store_result=True to keep what the task returns, for a day"
_LABELS = "say labels, a mapping of texts to texts"
_SCHEDULE = "say cron or every in @task(...), or pgqueue.schedule(conn, name, target, args, cron=...)"
_RATE = "say rate='100/m' in @task(...), or set it by pgqueue.set_limit(conn, ...)"
_CONCURRENCY = "say concurrency in @task(...), or set it by pgqueue.set_limit(conn, ...)"
_COST = "say cost: as how many starts of a rate the job counts"
_LIMIT_KEY = "say limit_key: jobs that have the same one share a limit"

# Of Celery, RQ, Dramatiq, Huey, arq, Procrastinate, Oban, River, pg-boss and APScheduler.
_OURS = {
    "acks_late": "every job is acknowledged late here; say at_most_once=True in @task(...) for what must not run twice",
    "after": _DELAY,
    "at": _RUN_AT,
    "at_front": "say priority=9: higher runs first",
    "autoretry_for": _POLICY,
    "backoff": _POLICY,
    "bind": "call pgqueue.current_job() inside the task",
    "broker": "jobs are rows of the database: pass its connection",
    "concurrency_key": _LIMIT_KEY,
    "concurrency_limit": _CONCURRENCY,
    "countdown": _DELAY,
    "cron": _SCHEDULE,
    "crontab": _SCHEDULE,
    "debounce": "say unique_key, delay and on_conflict='replace'",
    "deduplication_key": _UNIQUE,
    "defer_by": _DELAY,
    "defer_until": _RUN_AT,
    "depends_on": "say pgqueue.chain(first, second), or after= of a Workflow's node",
    "description": _LABELS,
    "enqueue_at": _RUN_AT,
    "enqueue_in": _DELAY,
    "eta": _RUN_AT,
    "every": _SCHEDULE,
    "exchange": "say queue",
    "exclusive": _UNIQUE,
    "expiration": _TTL,
    "expires": _TTL,
    "expires_in": _TTL,
    "failure_ttl": "dead jobs are kept for 180 days",
    "group": _LABELS,
    "hard_time_limit": _TIMEOUT,
    "headers": _LABELS,
    "id": _JOB_ID,
    "ignore_result": _RESULT,
    "interval": _SCHEDULE,
    "job_key": _UNIQUE,
    "job_key_mode": _CONFLICT,
    "job_timeout": _TIMEOUT,
    "jobkey": _UNIQUE,
    "key": _UNIQUE,
    "kwargs": _ARGS,
    "link": "say on_success=task, or pgqueue.chain(job, job)",
    "link_error": "say on_failure=task",
    "lock": _UNIQUE,
    "max_age": _TTL,
    "max_backoff": _POLICY,
    "max_concurrency": _CONCURRENCY,
    "max_executions": _MAX_ATTEMPTS,
    "max_retries": _MAX_ATTEMPTS,
    "max_tries": _MAX_ATTEMPTS,
    "message_ttl": _TTL,
    "meta": _LABELS,
    "metadata": _LABELS,
    "min_backoff": _POLICY,
    "name": "a task is named by its module and function, and nothing else",
    "on_stopped": "say on_end=task, which is told of each end",
    "params": _ARGS,
    "partition_key": _LIMIT_KEY,
    "pass_context": "call pgqueue.current_job() inside the task",
    "payload": _ARGS,
    "perform_at": _RUN_AT,
    "perform_in": _DELAY,
    "periodic": _SCHEDULE,
    "queue_as": "say queue",
    "queue_name": "say queue",
    "queueing_lock": _UNIQUE,
    "rate_limit": _RATE,
    "reject_on_worker_lost": "a job whose worker vanishes runs again, but for one with at_most_once=True in @task(...)",
    "repeat": "say cron or every in @task(...), or current_job().enqueue(...) in the task",
    "replace": _CONFLICT,
    "replace_existing": _CONFLICT,
    "result_ttl": _RESULT,
    "retries": _MAX_ATTEMPTS,
    "retry_backoff": _POLICY,
    "retry_delay": _POLICY,
    "retry_kwargs": _POLICY,
    "retry_on": _POLICY,
    "retry_on_exception": _POLICY,
    "retry_policy": _POLICY,
    "routing_key": "say queue",
    "run_after": _RUN_AT,
    "schedule": _SCHEDULE,
    "schedule_at": _RUN_AT,
    "schedule_in": _DELAY,
    "scheduled_at": _RUN_AT,
    "serializer": "arguments are JSON; say codec in @task(...) for another form",
    "singleton_key": _UNIQUE,
    "singleton_seconds": _WINDOW,
    "soft_time_limit": "say soft_timeout in @task(...)",
    "start_after": _RUN_AT,
    "store_errors": "every attempt is kept: pgqueue.attempts(conn, job)",
    "store_results": _RESULT,
    "tags": _LABELS,
    "takes_context": "call pgqueue.current_job() inside the task",
    "task_id": _JOB_ID,
    "throttle": "say unique_key, unique_for; or, for the latest arguments, delay, max_wait=0 and on_conflict='replace'",
    "throws": "say expected=(KeyError,) in @task(...)",
    "time_limit": _TIMEOUT,
    "tokens": _COST,
    "track_started": "every attempt is written down",
    "unique_id": _UNIQUE,
    "unique_period": _WINDOW,
    "units": _COST,
    "visibility_timeout": "a job is its worker's as long as the lease is renewed; how long it may run is timeout",
    "wait": _DELAY,
    "wait_until": _RUN_AT,
    "when": _RUN_AT,
}


# And their words for the parts of a retry policy.
_OF_POLICIES = {
    "base": "say first",
    "delay": "say every, first or step",
    "exceptions": "say on, or not_on",
    "exponent": "say factor",
    "initial": "say first",
    "interval": "say every",
    "max_delay": "say cap",
    "maximum": "say cap",
    "max_retries": "say max_attempts in @task(...), which counts the first attempt, too",
    "max_attempts": "say it in @task(...)",
    "multiplier": "say factor",
    "retry_for": "say on",
    "seconds": "say every",
    "wait": "say every",
}


# And for what is said to a worker.
_OF_WORKERS = {
    "autoscale": "say concurrency",
    "backend": "results are in the database of the jobs",
    "beat": "every worker looks at the schedules",
    "broker": "say dsn, of the database that the jobs are in",
    "connection": "say dsn: a worker opens connections of its own",
    "loglevel": "say observers, or pgqueue worker --log-level",
    "max_jobs": "say max_jobs_per_child",
    "max_tasks_per_child": "say max_jobs_per_child",
    "imports": "say include, a list of modules",
    "modules": "say app, a list of modules",
    "num_workers": "say concurrency",
    "pool": "say executor='process', 'thread' or 'async'",
    "poll_interval": "say poll, in seconds or as a timedelta",
    "polling_interval": "say poll, in seconds or as a timedelta",
    "prefetch": "a worker claims as many jobs as it has slots",
    "prefetch_multiplier": "a worker claims as many jobs as it has slots",
    "processes": "say executor='process' and concurrency",
    "queue": "say queues, a list of names",
    "retries": "say max_attempts in @task(...), which counts the first attempt, too",
    "scheduler": "every worker looks at the schedules",
    "tasks": "say app, a list of modules",
    "threads": "say executor='thread' and concurrency",
    "timeout": "say timeout in @task(...), or pgqueue.set_queue(conn, queue, timeout=60)",
    "visibility_timeout": "say lease: how soon the jobs of a lost worker return; it is renewed by itself",
    "with_scheduler": "every worker looks at the schedules",
    "workers": "say concurrency",
}


def advised(kind: C, words: Mapping[str, str] = _OURS) -> C:
    """Decorate a class of options: it says which one was meant by a name that it does not know."""
    init = kind.__init__  # type: ignore[misc]  # of the class itself
    # Of a dataclass in the order of its fields, which is that of its docs.
    known = list(getattr(kind, "__dataclass_fields__", ())) or list(signature(init).parameters)[1:]

    @wraps(init)
    def checked(self: Any, *args: Any, **options: Any) -> None:
        try:
            init(self, *args, **options)
        except TypeError:
            if unknown := options.keys() - set(known):
                raise OptionError(unknown_options(kind.__name__, unknown, known, words=words)) from None
            raise

    kind.__init__ = checked  # type: ignore[misc]
    return kind


def advised_worker(kind: C) -> C:
    """As advised(), for a worker."""
    return advised(kind, _OF_WORKERS)


def advised_policy(kind: C) -> C:
    """As advised(), for a retry policy."""
    return advised(kind, _OF_POLICIES)


def unknown_options(
    where: str,
    names: Iterable[str],
    known: Collection[str],
    of_tasks: Collection[str] = (),
    words: Mapping[str, str] = _OURS,
) -> str:
    """What is wrong with options that nobody knows, and which of the `known` was meant, one by one.

    `of_tasks` are those that only @task(...) takes.
    """
    return "; ".join(
        f"{where} takes no option {name!r}: {_advice(name, known, of_tasks, words)}" for name in sorted(names)
    )


def _advice(name: str, known: Collection[str], of_tasks: Collection[str], words: Mapping[str, str]) -> str:
    if name in of_tasks:
        return "the worker asks the task, not the job; say it in @task(...)"
    if advice := words.get(name):
        return advice
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}"
