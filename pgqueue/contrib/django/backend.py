"""The backend for Django's tasks: each becomes a job in the transaction that is open on the alias of its database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connections

import pgqueue
from pgqueue.contrib.django import conf, framework, priorities
from pgqueue.contrib.django.call import stored
from pgqueue.contrib.django.checks import check_backend
from pgqueue.contrib.django.connection import below
from pgqueue.contrib.django.known import known
from pgqueue.contrib.django.moments import aware, enqueued_at
from pgqueue.contrib.django.results import PRIORITY, result_of
from pgqueue.errors import JobNotFound, OptionError, TargetError
from pgqueue.options import check_name
from pgqueue.store.unwrapping import unwrap_by
from pgqueue.tasks import Task


class Backend(framework.BaseTaskBackend):
    """`TASKS = {"default": {"BACKEND": "pgqueue.contrib.django.Backend", "QUEUES": [], "OPTIONS": {...}}}`.

    `OPTIONS` may name the alias of DATABASES as `database` (else that of the setting PGQUEUE, else "default"), and what
    `@pgqueue.task` takes for all tasks: `max_attempts`, `timeout`, `retry` ... A task says its own by @job_options.
    """

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def __init__(self, alias: str, params: Mapping[str, Any]) -> None:
        super().__init__(alias, params)
        # Also where the app is not installed yet, which a check says.
        unwrap_by(below)
        given = dict(params.get("OPTIONS", {}))
        self.database = str(given.pop("database", conf.database()))
        self.job_options: dict[str, Any] = {"store_result": True, **given}

    def validate_task(self, task: Any) -> None:
        """Raise InvalidTask for what no job could be; workers find the task from now on."""
        super().validate_task(task)
        self._known(task)

    def enqueue(self, task: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Enqueue a job in the transaction that is open on the alias; without one it is committed on return.

        Raises InvalidTask, TypeError for arguments that are not JSON or that the function does not take, and what
        Django raises for the database's errors.
        """
        self.validate_task(task)
        ours = self._known(task)
        args, kwargs = framework.normalize_json(list(args)), framework.normalize_json(dict(kwargs))
        connection = connections[self.database]
        with connection.wrap_database_errors:
            made = pgqueue.enqueue(
                connection,
                ours,
                stored(args, kwargs),
                queue=task.queue_name,
                priority=priorities.of(task.priority),
                run_at=aware(task.run_after),
                labels=_labels(task.priority, ours.options.labels),
            )
        result = framework.TaskResult(
            task=task,
            id=str(made.id),
            status=framework.Status.READY,
            enqueued_at=enqueued_at(made.id),
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=args,
            kwargs=kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
        framework.signals.task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> Any:
        """What has become of a job, as the transaction on the alias sees it. Raises TaskResultDoesNotExist."""
        try:
            job_id = UUID(str(result_id))
        except ValueError:
            raise framework.TaskResultDoesNotExist(result_id) from None
        connection = connections[self.database]
        with connection.wrap_database_errors:
            try:
                job = pgqueue.get_job(connection, job_id)
            except JobNotFound:
                raise framework.TaskResultDoesNotExist(result_id) from None
            found = result_of(job, pgqueue.attempts(connection, job_id), self.alias, connection)
        if found is None:
            raise framework.TaskResultDoesNotExist(result_id)
        return found

    def check(self, **kwargs: Any) -> Iterator[Any]:
        """What is wrong with the settings of this backend."""
        yield from super().check(**kwargs) or ()
        yield from check_backend(self)

    def _known(self, task: Any) -> Task[..., Any]:
        try:
            check_name("queue_name", task.queue_name)
            return known(task, self.job_options)
        except (OptionError, TargetError) as error:
            raise framework.InvalidTask(str(error)) from error


def _labels(priority: int, said: Mapping[str, str] | None) -> dict[str, str] | None:
    """With the priority as it was said, where ours do not tell it from its neighbours."""
    if priorities.said(priorities.of(priority)) == priority:
        return None
    return {**(said or {}), PRIORITY: str(priority)}
