"""Tasks of this package, which call those of an app: with many items, or of another one's failure."""

from __future__ import annotations

from typing import Any

from pgqueue.client import attempts
from pgqueue.compat.celery.naming import known
from pgqueue.compat.celery.request import Request
from pgqueue.compat.connecting import own_connection
from pgqueue.compat.remote_errors import error_again
from pgqueue.encryption import Kind, Place, readable
from pgqueue.errors import JobFailed, UsageError
from pgqueue.record import EndedJob
from pgqueue.retry import Fixed
from pgqueue.tasks import task

# As a task of an app: lost with its worker it runs again, and what it raises ends it.
_AS_OTHERS = Fixed(every=180, jitter=0, on=())


@task(retry=_AS_OTHERS, max_attempts=4)
def run_map(name: str, items: list[Any]) -> list[Any]:
    """Call a task with each item in turn."""
    called = _task(name)
    return [called(item) for item in items]


@task(retry=_AS_OTHERS, max_attempts=4)
def run_starmap(name: str, items: list[list[Any]]) -> list[Any]:
    """Call a task with the arguments of each item in turn."""
    called = _task(name)
    return [called(*item) for item in items]


class FailedRequest(Request):
    """The job that failed, as its errback is told of it."""

    def __init__(self, ended: EndedJob) -> None:
        super().__init__(ended.target.replace(":", "."))
        self._ended = ended

    @property
    def id(self) -> str:
        """The id of the job that failed."""
        return str(self._ended.id)


@task(retry=_AS_OTHERS, max_attempts=4)
def run_errback(ended: EndedJob, name: str, args: list[Any], kwargs: dict[str, Any], immutable: bool = False) -> None:
    """Call a task with (request, exc, traceback) of a job that is dead; one that takes an id alone, with that."""
    called = _task(name)
    if immutable:
        called(*args, **kwargs)
        return
    traceback = _traceback(ended)
    failed = JobFailed(ended.id, ended.state, ended.reason, traceback)
    error = error_again(ended.error_type, ended.error, failed) or failed
    told = (FailedRequest(ended), error, traceback)
    if called.task.misfit((*told, *args), kwargs) is None:
        called(*told, *args, **kwargs)
    else:
        called(str(ended.id), *args, **kwargs)


def _traceback(ended: EndedJob) -> str | None:
    with own_connection(None, "an errback", autocommit=True) as conn:
        found = attempts(conn, ended.id)
    last = next((each.traceback for each in reversed(found) if each.traceback), None)
    return readable(last, Place(Kind.TRACEBACK, ended.id))


def _task(name: str) -> Any:
    if name not in known:
        raise UsageError(f"no task {name} is imported in this worker; name its module by -A, or in the app's include")
    return known[name]
