"""The options of tasks, as type checkers know them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypedDict

from pgqueue.call_options import CallOptions, TaskOptions
from pgqueue.cron import TIMING_NAMES, CatchUp, Overlap
from pgqueue.errors import OptionError
from pgqueue.hooks import Hook
from pgqueue.job import FollowUps, OnConflict, Target
from pgqueue.options import Duration
from pgqueue.tasks.bounds import FallbackOn, OnExpiry, OnTimeout, RetryIn, StoreLogs
from pgqueue.tasks.limited import OnDead
from pgqueue.vocabulary import unknown_options

HookOption = Hook | Sequence[Hook]


class ScheduleOptions(TypedDict, total=False):
    """When a task is enqueued by itself, again and again: see Timing."""

    cron: str | None
    every: Duration | None
    timezone: str | None
    jitter: Duration | None
    catch_up: CatchUp | None
    cap: int | None
    grace: Duration | None
    overlap: Overlap | None


class LimitOptions(TypedDict, total=False):
    """How many of its jobs may run at once, or start in a time: see Limits."""

    limit_key: str | None
    concurrency: int | None
    rate: str | None
    burst: int | None
    weight: int | None
    ordered: bool | None
    on_dead: OnDead | HookOption | None


class HookOptions(TypedDict, total=False):
    """Who is told what became of its attempts: see pgqueue.hooks. `hooks` are by name, where a word stands there.

    A plain function under `on_success` is a hook; a Task, a text or a NewJob there, and under `on_failure` and
    `on_end`, is a job that follows.
    """

    on_start: HookOption
    on_success: HookOption | FollowUps
    on_failure: FollowUps
    on_end: FollowUps
    dead_to: Target | None
    on_retry: HookOption
    on_error: HookOption
    on_cancel: HookOption
    on_stalled: HookOption
    hooks: Mapping[str, HookOption]


class AllTaskOptions(TaskOptions, ScheduleOptions, LimitOptions, HookOptions, total=False):
    """Those, and the options that stay with the task: see Bounds."""

    soft_timeout: Duration | None
    on_timeout: OnTimeout | HookOption
    on_expiry: OnExpiry
    at_most_once: bool
    infra_errors: Collection[type[BaseException]]
    expected: Collection[type[BaseException]]
    store_logs: StoreLogs | None
    retry_in: RetryIn | None
    retry_for: Duration | str | None
    iterable: bool
    max_run: Duration | str | None
    fallback: Target | None
    fallback_after: int | None
    fallback_on: Collection[FallbackOn] | None
    sensitive: bool | Collection[str]
    max_depth: int | None
    max_children: int | None
    codec: str | None
    encrypted: bool | None


# What @task(...) takes by parameters of its own, for type checkers.
_NAMED = ("retry", "transactional", "batch", "batch_wait")
# What only @task(...) takes, beside the options that a job can have.
OF_TASKS = frozenset({*AllTaskOptions.__annotations__, *_NAMED} - CallOptions.__annotations__.keys() - TIMING_NAMES)


def check_task_options(names: Iterable[str]) -> None:
    """Raise OptionError for what @task(...) does not take, with what to write instead."""
    names = set(names) - AllTaskOptions.__annotations__.keys()
    if own := sorted(names & CallOptions.__annotations__.keys()):
        raise OptionError(
            f"task takes no option {', '.join(own)}: it is one job's own; say it in using(...) or enqueue()"
        )
    if names:
        known = [*AllTaskOptions.__annotations__, *_NAMED]
        raise OptionError(unknown_options("task", names, known))


def check_call_options(where: str, names: Iterable[str]) -> None:
    """Raise OptionError for what a single job does not take, with what to write instead."""
    if unknown := set(names) - CallOptions.__annotations__.keys():
        raise OptionError(unknown_options(where, unknown, list(CallOptions.__annotations__), OF_TASKS))


def check_scheduled(target: str, misfit: str | None, on_conflict: OnConflict | None) -> None:
    """Raise OptionError for a task that a schedule cannot enqueue; `misfit` is why it cannot do without arguments."""
    if on_conflict == "raise":
        raise OptionError(f"{target} has a schedule, whose ticks have nobody to raise to; let on_conflict be 'keep'")
    if misfit is not None:
        raise OptionError(
            f"{target} has a schedule, and is called without arguments: {misfit}; give them defaults, or say"
            " pgqueue.schedule(conn, name, target, args, ...)"
        )
