"""Runs attempts of tasks that are coroutines, in the event loop of the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pgqueue import instruments
from pgqueue.context import Middleware, running
from pgqueue.errors import DatabaseUnreachable
from pgqueue.events import Finished
from pgqueue.instruments import RunningWatch
from pgqueue.job_log import Outlet
from pgqueue.outcome import Outcome, Succeeded
from pgqueue.store.job_rights import WORKERS_OWN, JobRights
from pgqueue.store.lender import Lender
from pgqueue.store.line import Line, OwnWire
from pgqueue.worker.attempts.batch_call import BatchCall, finish_batch, watched_to_the_end
from pgqueue.worker.attempts.call import Call, outlet_of
from pgqueue.worker.attempts.exceptions import outcome_of
from pgqueue.worker.attempts.finishing import finish
from pgqueue.worker.attempts.forks import Process, end_copy
from pgqueue.worker.attempts.middleware import entered, remembering
from pgqueue.worker.attempts.transaction import NoConnection, excuse, noting_end, swallowed
from pgqueue.worker.attempts.units import leave_place_async, run_units_async


class AsyncAttempts:
    """Runs attempts of tasks that are coroutines, any number of them at a time, in the event loop of the caller."""

    def __init__(
        self,
        dsn: str,
        middleware: Sequence[Middleware],
        outlet: Outlet | None = None,
        rights: JobRights = WORKERS_OWN,
    ) -> None:
        self._dsn = dsn
        self._rights = rights
        self._middleware = middleware
        self._outlet = outlet
        self._lenders: list[Lender] = []
        self._wire = OwnWire(dsn, is_async=True, rights=rights)
        # That of the event loop that ran the last attempt: there may come another one.
        self._line: Line | None = None
        self._pid = Process.watched()

    def begin(self, call: Call) -> RunningWatch | None:
        """Who looks on while it runs, if anybody does: made before run(), and asked by end()."""
        return RunningWatch(call.context, call.claim) if instruments.installed else None

    def end(self, call: Call, outcome: Outcome, began: float, watch: RunningWatch | None) -> Finished:
        """What is to be written about a call that has run, and began at monotonic() time `began`."""
        finished = finish(call.claim, outcome, call.task, began, call.given)
        return finished if watch is None else watch.ended(finished, call.error)

    def begin_batch(self, call: BatchCall) -> list[RunningWatch]:
        """As begin(), for each job of a batch: the first one's is the innermost."""
        return [RunningWatch(item, item._claim) for item in reversed(call.batch)] if instruments.installed else []

    def end_batch(
        self, call: BatchCall, outcome: Outcome, began: float, watches: Sequence[RunningWatch]
    ) -> list[Finished]:
        """As end(), for each job of a batch."""
        return watched_to_the_end(call, finish_batch(call, outcome, began), watches)

    async def run(self, call: Call) -> Outcome:
        """Call the task; never raises: cancelled from outside, the outcome is a failure that nobody need report."""
        running.set(call.context)
        loop = asyncio.get_running_loop()
        if self._line is None or self._line.loop is not loop:
            self._line = Line(self._wire, loop)
        outlet = self._outlet
        call.equip(self._line, outlet if call.task.bounds.store_logs is None else outlet_of(call.task, outlet))
        try:
            if self._middleware:
                with entered(self._middleware, call.context), remembering(call):
                    return await self._called(call)
                return swallowed(call)
            if call.task.transactional or call.task.bounds.iterable:
                return await self._called(call)
            return call.returned(await call.awaited(call.task.function(*call.args, **call.kwargs)))
        except BaseException as error:
            call.error = error
            await leave_place_async(call)
            return outcome_of(call, error)
        finally:
            call.raised = None
            if Process.id != self._pid:
                end_copy(self._pid)

    def close(self) -> None:
        """Close the connections of jobs."""
        self._wire.close()
        while self._lenders:
            self._lenders.pop().close()

    async def _called(self, call: Call) -> Succeeded:
        if call.task.transactional:
            return await self._called_in_transaction(call)
        return call.returned(await self._own_code(call, None, *call.args))

    async def _own_code(self, call: Call, lender: Lender | None, *args: Any) -> Any:
        value = call.task.function(*args, **call.kwargs)
        if call.task.bounds.iterable:
            return await run_units_async(call, value, lender)
        return await call.awaited(value)

    async def _called_in_transaction(self, call: Call) -> Succeeded:
        assert self._line is not None
        lender = self._lenders.pop() if self._lenders else Lender(self._dsn, is_async=True, rights=self._rights)
        try:
            try:
                conn = await lender.lend(call.tenant)
            except DatabaseUnreachable as error:
                raise NoConnection from error
            call.take_line(self._line.within(conn, has_role=lender.role is not None))
            try:
                success = call.returned(await self._own_code(call, lender, conn, *call.args))
            except BaseException as error:
                await lender.roll_back()
                excuse(call, lender, error)
                raise
            with noting_end(call, lender):
                await lender.commit(call.completion(success))
            call.settled = Succeeded(success.result, settled=True)
            return call.settled
        finally:
            self._lenders.append(lender)
