"""What other queues call things: the word to use here, for whoever writes theirs."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from functools import wraps
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
    "after": _DELAY,
    "acks_late": "every job is acknowledged late here; say at_most_once=True in @task(...) for what must not run twice",
    "at": _RUN_AT,
    "autoretry_for": _POLICY,
    "backoff": _POLICY,
    "bind": "call pgqueue.current_job() inside the task",
    "cron": _SCHEDULE,
    "crontab": _SCHEDULE,
    "concurrency_key": _LIMIT_KEY,
    "concurrency_limit": _CONCURRENCY,
    "countdown": _DELAY,
    "defer_by": _DELAY,
    "defer_until": _RUN_AT,
    "debounce": "say unique_key, delay and on_conflict='replace'",
    "deduplication_key": _UNIQUE,
    "enqueue_at": _RUN_AT,
    "enqueue_in": _DELAY,
    "eta": _RUN_AT,
    "every": _SCHEDULE,
    "expiration": _TTL,
    "expires": _TTL,
    "expires_in": _TTL,
    "exclusive": _UNIQUE,
    "group": _LABELS,
    "headers": _LABELS,
    "id": _JOB_ID,
    "ignore_result": _RESULT,
    "interval": _SCHEDULE,
    "job_timeout": _TIMEOUT,
    "jobkey": _UNIQUE,
    "job_key": _UNIQUE,
    "job_key_mode": _CONFLICT,
    "key": _UNIQUE,
    "kwargs": _ARGS,
    "lock": _UNIQUE,
    "max_concurrency": _CONCURRENCY,
    "max_retries": _MAX_ATTEMPTS,
    "max_tries": _MAX_ATTEMPTS,
    "meta": _LABELS,
    "metadata": _LABELS,
    "name": "a task is named by its module and function, and nothing else",
    "params": _ARGS,
    "partition_key": _LIMIT_KEY,
    "payload": _ARGS,
    "periodic": _SCHEDULE,
    "queue_name": "say queue",
    "queueing_lock": _UNIQUE,
    "replace": _CONFLICT,
    "replace_existing": _CONFLICT,
    "rate_limit": _RATE,
    "result_ttl": _RESULT,
    "retries": _MAX_ATTEMPTS,
    "retry_backoff": _POLICY,
    "retry_delay": _POLICY,
    "retry_kwargs": _POLICY,
    "schedule": _SCHEDULE,
    "schedule_at": _RUN_AT,
    "schedule_in": _DELAY,
    "scheduled_at": _RUN_AT,
    "singleton_key": _UNIQUE,
    "singleton_seconds": _WINDOW,
    "soft_time_limit": "say soft_timeout in @task(...)",
    "start_after": _RUN_AT,
    "store_results": _RESULT,
    "tags": _LABELS,
    "task_id": _JOB_ID,
    "tokens": _COST,
    "throttle": "say unique_key, unique_for; or, for the latest arguments, delay, max_wait=0 and on_conflict='replace'",
    "time_limit": _TIMEOUT,
    "units": _COST,
    "unique_id": _UNIQUE,
    "unique_period": _WINDOW,
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


def advised(kind: C, words: Mapping[str, str] = _OURS) -> C:
    """Decorate a dataclass of options: it says which one was meant by a name that it does not know."""
    init = kind.__init__  # type: ignore[misc]  # of the class itself, which is made by dataclass()

    @wraps(init)
    def checked(self: Any, *args: Any, **options: Any) -> None:
        try:
            init(self, *args, **options)
        except TypeError:
            known = [field.name for field in fields(kind)]
            if unknown := options.keys() - set(known):
                raise OptionError(unknown_options(kind.__name__, unknown, known, words=words)) from None
            raise

    kind.__init__ = checked  # type: ignore[misc]
    return kind


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
