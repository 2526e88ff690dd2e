"""Runs each job where it is enqueued: in the call of enqueue(), on its connection, in its transaction.

The job is a row like any other: enqueued, claimed, run, settled, all at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from pgqueue import sending
from pgqueue.enqueued import Enqueued
from pgqueue.errors import UsageError
from pgqueue.job import Claim, NewJob
from pgqueue.store.connection import AnyConnection, AsyncDriver, Driver, driver, driver_async, is_async
from pgqueue.testing.ran import Ran, raise_failed
from pgqueue.testing.runner import Runner
from pgqueue.testing.staging import outside_of_loops, runner_on

# Jobs that enqueue jobs, one in the other.
DEEPEST = 32


@contextmanager
def eager(*, raises: bool = True, app: Sequence[str] = (), middleware: Sequence[str] = ()) -> Iterator[list[Ran]]:
    """Within the block each enqueue() runs its job before it returns, whatever its delay; answers the attempts.

    It counts in all threads. Raises AttemptFailed out of enqueue() if the attempt failed, unless `raises=False`; the
    job then waits for its retry, or is dead, as it would be.
    """
    before = sending.diverted
    mode = _Eagerly(raises, app, middleware)
    sending.diverted = mode
    try:
        yield mode.ran
    finally:
        sending.diverted = before


class _Eagerly:
    """What sending.py hands new jobs to, in place of the database alone."""

    def __init__(self, raises: bool, app: Sequence[str], middleware: Sequence[str]) -> None:
        self.ran: list[Ran] = []
        self._raises = raises
        self._app = app
        self._middleware = middleware

    def one(self, conn: AnyConnection, new: NewJob) -> Enqueued | Awaitable[Enqueued]:
        """Enqueue one, and run it."""
        if is_async(conn):
            return self._one_async(conn, new)
        made: Enqueued = sending.plain_one(conn, new)
        if made.created:
            self._run(conn, [made.id])
        return made

    def many(self, conn: AnyConnection, batch: Sequence[NewJob]) -> list[UUID] | Awaitable[list[UUID]]:
        """Enqueue many, and run them in order."""
        if is_async(conn):
            return self._many_async(conn, batch)
        ids: list[UUID] = sending.plain_many(conn, batch)
        self._run(conn, ids)
        return ids

    def workflow(self, conn: AnyConnection, workflow_id: UUID) -> Awaitable[None] | None:
        """Run the jobs of a workflow, as each lets others begin."""
        if is_async(conn):
            return self._workflow_async(conn, workflow_id)
        raw = driver(conn)
        return outside_of_loops(lambda: self._workflow_here(raw, workflow_id))

    def _workflow_here(self, raw: Any, workflow_id: UUID) -> None:
        with _deeper(), runner_on(raw, self._app, self._middleware) as runner:
            for claim in self._claims_of(runner, workflow_id):
                self._note(runner.run(claim, None))

    async def _workflow_async(self, conn: Any, workflow_id: UUID) -> None:
        raw = await driver_async(conn)
        with _deeper(), runner_on(raw, self._app, self._middleware) as runner:
            for claim in self._claims_of(runner, workflow_id):
                self._note(await runner.run_in_loop(claim, None))

    async def _one_async(self, conn: Any, new: NewJob) -> Enqueued:
        made: Enqueued = await sending.plain_one(conn, new)
        if made.created:
            await self._run_async(conn, [made.id])
        return made

    async def _many_async(self, conn: Any, batch: Sequence[NewJob]) -> list[UUID]:
        ids: list[UUID] = await sending.plain_many(conn, batch)
        await self._run_async(conn, ids)
        return ids

    def _run(self, conn: Any, ids: Sequence[UUID]) -> None:
        raw = driver(conn)
        outside_of_loops(lambda: self._run_here(raw, ids))

    def _run_here(self, raw: Driver | AsyncDriver, ids: Sequence[UUID]) -> None:
        with _deeper(), runner_on(raw, self._app, self._middleware) as runner:
            for claim in self._claims(runner, ids):
                self._note(runner.run(claim, None))

    async def _run_async(self, conn: Any, ids: Sequence[UUID]) -> None:
        raw = await driver_async(conn)
        with _deeper(), runner_on(raw, self._app, self._middleware) as runner:
            for claim in self._claims(runner, ids):
                self._note(await runner.run_in_loop(claim, None))

    def _claims(self, runner: Runner, ids: Sequence[UUID]) -> Iterator[Claim]:
        """These jobs, and after each what follows it."""
        waiting = list(reversed(ids))
        while waiting:
            claim = runner.claim_one(waiting.pop())
            if claim is not None:
                yield claim
                waiting += reversed(runner.brought_by(claim.id))

    def _claims_of(self, runner: Runner, workflow_id: UUID) -> Iterator[Claim]:
        """Each job of a workflow once, when its turn comes."""
        seen: list[UUID] = []
        while ids := runner.begun_of(workflow_id, seen):
            seen += ids
            yield from self._claims(runner, ids)

    def _note(self, ran: Sequence[Ran]) -> None:
        self.ran += ran
        if self._raises:
            raise_failed(ran, self.ran)


@contextmanager
def _deeper() -> Iterator[None]:
    depth = _depth.get()
    if depth >= DEEPEST:
        raise UsageError(
            f"jobs enqueue each other {DEEPEST} deep; they would without end, so drain() them with max_jobs"
        )
    token = _depth.set(depth + 1)
    try:
        yield
    finally:
        _depth.reset(token)


_depth: ContextVar[int] = ContextVar("pgqueue.testing.depth", default=0)
