"""Runs attempts: from a claim to what is to be written down about it. Whatever a task raises ends here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from time import monotonic
from types import CoroutineType
from typing import Any

from pgqueue.context import Middleware, running
from pgqueue.errors import DatabaseUnreachable, LeaseLost, TransactionEnded
from pgqueue.events import Finished
from pgqueue.job import Claim
from pgqueue.outcome import Outcome, Snooze, Succeeded
from pgqueue.store import jobs
from pgqueue.store.lender import Lender, at_once
from pgqueue.tasks import Task
from pgqueue.worker.call import Call, explain, finish, prepare
from pgqueue.worker.middleware import entered
from pgqueue.worker.private_loop import PrivateLoop

# A transactional job that gets no connection has not begun: its attempt is given back for so many seconds.
_NO_CONNECTION_DELAY = 5.0


class AsyncAttempts:
    """Runs attempts of tasks that are coroutines, any number of them at a time, in the event loop of the caller."""

    def __init__(self, dsn: str, middleware: Sequence[Middleware]) -> None:
        self._dsn = dsn
        self._middleware = middleware
        self._lenders: list[Lender] = []

    async def run(self, call: Call) -> Outcome:
        """Call the task; never raises: cancelled from outside, the outcome is a failure that nobody need report."""
        running.set(call.context)
        try:
            if not self._middleware:
                return await self._called(call)
            with entered(self._middleware, call.context):
                return await self._called(call)
            return _swallowed(call)
        except BaseException as error:
            return explain(call, error)

    def close(self) -> None:
        """Close the connections of transactional jobs."""
        while self._lenders:
            self._lenders.pop().close()

    async def _called(self, call: Call) -> Succeeded:
        if call.task.transactional:
            return await self._called_in_transaction(call)
        return call.returned(await call.task.function(*call.args, **call.kwargs))

    async def _called_in_transaction(self, call: Call) -> Succeeded:
        lender = self._lenders.pop() if self._lenders else Lender(self._dsn, is_async=True)
        try:
            try:
                conn = await lender.lend()
            except DatabaseUnreachable as error:
                raise Snooze(_NO_CONNECTION_DELAY) from error
            try:
                success = call.returned(await call.task.function(conn, *call.args, **call.kwargs))
            except BaseException:
                await lender.roll_back()
                raise
            with _noting_late(call):
                await lender.commit(jobs.complete(call.claim, success.result))
            return Succeeded(success.result, settled=True)
        finally:
            self._lenders.append(lender)


class Attempts:
    """Runs attempts one after the other, in the thread that calls it. Coroutines get a private event loop."""

    def __init__(self, dsn: str, apps: Sequence[str], middleware: Sequence[Middleware]) -> None:
        self._apps = apps
        self._middleware = middleware
        self._tasks: dict[str, Task[..., Any]] = {}
        self._lender = Lender(dsn, is_async=False)
        self._loop = PrivateLoop()
        self._async = AsyncAttempts(dsn, middleware)

    def run(self, claim: Claim) -> Finished:
        """Run one claim to its end; never raises."""
        began = monotonic()
        call = prepare(claim, self._tasks, self._apps)
        if not isinstance(call, Call):
            return finish(claim, call, None, monotonic() - began)
        # A context of its own, so that what a job sets in it ends with the job.
        outcome = copy_context().run(self._run, call)
        return finish(claim, outcome, call.task, monotonic() - began)

    def find(self, claim: Claim) -> Task[..., Any] | None:
        """The task that a claim calls; None if there is none that may run."""
        call = prepare(claim, self._tasks, self._apps)
        return call.task if isinstance(call, Call) else None

    def close(self) -> None:
        """Close the connections of transactional jobs, and the private loop."""
        self._lender.close()
        self._async.close()
        self._loop.close()

    def _run(self, call: Call) -> Outcome:
        running.set(call.context)
        try:
            if call.task.is_async:
                return self._loop.run(self._async.run(call))
            if not self._middleware:
                return self._called(call)
            with entered(self._middleware, call.context):
                return self._called(call)
            return _swallowed(call)
        except BaseException as error:
            return explain(call, error)

    def _called(self, call: Call) -> Succeeded:
        if call.task.transactional:
            return self._called_in_transaction(call)
        return call.returned(self._awaited(call.task.function(*call.args, **call.kwargs)))

    def _called_in_transaction(self, call: Call) -> Succeeded:
        lender = self._lender
        try:
            conn = at_once(lender.lend())
        except DatabaseUnreachable as error:
            raise Snooze(_NO_CONNECTION_DELAY) from error
        try:
            success = call.returned(self._awaited(call.task.function(conn, *call.args, **call.kwargs)))
        except BaseException:
            at_once(lender.roll_back())
            raise
        with _noting_late(call):
            at_once(lender.commit(jobs.complete(call.claim, success.result)))
        return Succeeded(success.result, settled=True)

    def _awaited(self, value: Any) -> Any:
        """What a coroutine returns: a sync function may have returned one, such as a decorated `async def`."""
        return self._loop.run(value) if type(value) is CoroutineType else value


@contextmanager
def _noting_late(call: Call) -> Iterator[None]:
    """Remember that the database said so: a task could raise LeaseLost for reasons of its own."""
    try:
        yield
    except LeaseLost:
        call.context.late = True
        raise


def _swallowed(call: Call) -> Outcome:
    """The outcome after a middleware kept an exception to itself: success, but of no transaction."""
    if call.task.transactional:
        raise TransactionEnded("a middleware swallowed the exception that had rolled the task's transaction back")
    return call.returned(None)
