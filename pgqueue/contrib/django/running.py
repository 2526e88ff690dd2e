"""An attempt of a task of Django's framework: the context that it may take, its signals, and its result as JSON."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any

from django.utils import timezone

from pgqueue.context import JobContext, current_job
from pgqueue.contrib.django import framework
from pgqueue.contrib.django.call import apart
from pgqueue.contrib.django.errors import as_task_error
from pgqueue.contrib.django.moments import enqueued_at
from pgqueue.outcome import Bury, Cancel, Snooze, Suspended
from pgqueue.tasks import registered

# Stands for a worker of an earlier attempt, which only the database knows: refresh() asks it.
EARLIER = "?"


def in_worker(task: Any) -> Callable[..., Any]:
    """What a worker calls for a task of the framework: a function of the same name, which has the task as `task`."""
    made = _async(task) if iscoroutinefunction(task.func) else _sync(task)
    made.task = task  # type: ignore[attr-defined]  # a function may have anything
    return made


def _sync(task: Any) -> Callable[..., Any]:
    @functools.wraps(task.func)
    def run(*args: Any, **kwargs: Any) -> Any:
        attempt = _Attempt(task, args, kwargs)
        attempt.tell(framework.signals.task_started)
        try:
            answer = attempt.returned(task.func(*attempt.args, **attempt.kwargs))
        except BaseException as error:
            if attempt.ends_with(error):
                attempt.tell(framework.signals.task_finished)
            raise
        attempt.tell(framework.signals.task_finished)
        return answer

    return run


def _async(task: Any) -> Callable[..., Any]:
    @functools.wraps(task.func)
    async def run(*args: Any, **kwargs: Any) -> Any:
        attempt = _Attempt(task, args, kwargs)
        await attempt.tell_async(framework.signals.task_started)
        try:
            answer = attempt.returned(await task.func(*attempt.args, **attempt.kwargs))
        except BaseException as error:
            if attempt.ends_with(error):
                await attempt.tell_async(framework.signals.task_finished)
            raise
        await attempt.tell_async(framework.signals.task_finished)
        return answer

    return run


class _Attempt:
    """What is called, and the TaskResult that the context and the signals have."""

    def __init__(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        placed, self.kwargs = apart(args, kwargs)
        self._job = current_job()
        self._task = task
        self._result = _result_of(task, self._job, placed, self.kwargs)
        context = [framework.TaskContext(task_result=self._result)] if task.takes_context else []
        self.args = (*context, *placed)

    def tell(self, signal: Any) -> None:
        """Send a signal; what its receivers raise Django logs, and the job goes on."""
        signal.send_robust(sender=type(self._task.get_backend()), task_result=self._result)

    async def tell_async(self, signal: Any) -> None:
        """The same in an event loop."""
        await signal.asend_robust(sender=type(self._task.get_backend()), task_result=self._result)

    def returned(self, value: Any) -> Any:
        """What the task returned, as JSON has it. Raises TypeError, as the framework does."""
        answer = framework.normalize_json(value)
        framework.moved(self._result, status=framework.SUCCESSFUL, finished_at=timezone.now(), _return_value=answer)
        return answer

    def ends_with(self, error: BaseException) -> bool:
        """Note what it raised; answers whether that ends the job, and no other attempt follows."""
        self._result.errors.append(as_task_error(error))
        if not self._is_last(error):
            framework.moved(self._result, status=framework.Status.READY)
            return False
        framework.moved(self._result, status=framework.Status.FAILED, finished_at=timezone.now())
        return True

    def _is_last(self, error: BaseException) -> bool:
        if isinstance(error, Snooze | Suspended):
            return False
        if isinstance(error, Bury | Cancel):
            return True
        task, claim = registered(self._job.target), self._job._claim
        return task is None or claim.attempt >= claim.most_attempts(task.terms.max_attempts)


def _result_of(task: Any, job: JobContext, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    now = timezone.now()
    return framework.TaskResult(
        task=framework.varied(task, queue_name=job.queue),
        id=str(job.id),
        status=framework.Status.RUNNING,
        enqueued_at=enqueued_at(job.id),
        started_at=now,
        last_attempted_at=now,
        finished_at=None,
        args=list(args),
        kwargs=dict(kwargs),
        backend=task.backend,
        errors=[],
        worker_ids=[EARLIER] * (job.attempt - 1) + [str(job._claim.worker)],
    )
