"""A canvas on its way to jobs: what each call is given, and the results in the order of their jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from pgqueue.compat.celery.call_options import CallOptions, call_options
from pgqueue.compat.celery.group_result import GroupResult
from pgqueue.compat.celery.naming import known, target_of_name
from pgqueue.compat.celery.result import AsyncResult
from pgqueue.errors import ArgumentError, UsageError
from pgqueue.job import NewJob
from pgqueue.workflows.parts import Part

if TYPE_CHECKING:
    from pgqueue.compat.celery.app import Celery

Result = AsyncResult | GroupResult
# Above so many, a callback is given no list of results.
MOST_RESULTS = 1_000
ERRBACK = "pgqueue.compat.celery.own_tasks:run_errback"


@dataclass(frozen=True, slots=True)
class Given:
    """What a part is given beside its own: arguments in front of its own, options, and what is told of its failures.

    `is_used` is whether what the part returns goes on to others.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    link_error: tuple[Any, ...] = ()
    is_used: bool = False

    def behind(self, args: tuple[Any, ...]) -> Given:
        """What the next part is given."""
        return Given(args=args, link_error=self.link_error, is_used=self.is_used)

    def used(self, is_used: bool = True) -> Given:
        """The same, for a part whose result goes on, or does not."""
        return replace(self, is_used=is_used)


class Planned(Protocol):
    """A part of a canvas."""

    @property
    def takes_previous(self) -> bool:
        """Whether it is given what the part in front returned."""

    def planned(self, flow: Flow, given: Given) -> tuple[Part, Result]:
        """As a part of a workflow; its jobs are noted in the flow, in order."""


class Call(Protocol):
    """One call of a task."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    immutable: bool


class Flow:
    """The jobs of one call of apply_async(), in order."""

    def __init__(self, app: Celery) -> None:
        self.app = app
        self.leaves: list[AsyncResult] = []

    def add(self, name: str) -> AsyncResult:
        """Note one more job, whose id is not known yet."""
        result = AsyncResult(None, self.app, name)
        self.leaves.append(result)
        return result


def options_of(call: Call, given: Given, app: Celery) -> CallOptions:
    """The options of a call: its own, and those that it is given."""
    return call_options({**call.options, **given.options}, app.conf)


def new_job(call: Call, given: Given, options: CallOptions, app: Celery) -> NewJob:
    """A call as a job. Raises what enqueue() raises."""
    args = call.args if call.immutable else (*given.args, *call.args)
    kwargs = call.kwargs if call.immutable else {**call.kwargs, **given.kwargs}
    ours = {**_unsaid(call.name, app), **options.ours}
    if told := [*options.link_error, *given.link_error]:
        ours["on_failure"] = [errback(each, app) for each in told]
    task = known.get(call.name)
    if task is not None:
        of_task = task.task.options.said()
        ours = {name: value for name, value in ours.items() if name in options.ours or name not in of_task}
        return (task.task.using(**ours) if ours else task.task).job(*args, **kwargs)
    if args and kwargs:
        raise ArgumentError(
            f"{call.name} is not imported here: its arguments are all positional or all by keyword; import its module"
        )
    return NewJob(target_of_name(call.name), kwargs or args or None, **ours)


def errback(call: Call, app: Celery) -> NewJob:
    """The job that tells a task of the failure of another one."""
    if not hasattr(call, "immutable"):
        raise UsageError(f"link_error is a signature, got {call!r:.80}; write task.s()")
    options = call_options(call.options, app.conf)
    if options.link or options.link_error:
        raise UsageError(f"link_error={call!r:.80} has callbacks of its own; enqueue them in it")
    said = {"name": call.name, "args": list(call.args), "kwargs": call.kwargs, "immutable": call.immutable}
    return NewJob(ERRBACK, said, **{**_unsaid(call.name, app), **options.ours, "store_result": None})


def _unsaid(name: str, app: Celery) -> dict[str, Any]:
    """What the app says of a task's jobs where neither they nor the task do."""
    conf = app.conf
    route = call_options(conf.route_of(name), conf).ours
    said = {
        "queue": conf["task_default_queue"],
        "priority": conf["task_default_priority"],
        "timeout": conf["task_time_limit"],
        **route,
    }
    task = known.get(name)
    if ((task is None or task.store_result is None) and conf.keeps_results) or (task is not None and task.store_result):
        said["store_result"] = True
    return {option: value for option, value in said.items() if value is not None}
