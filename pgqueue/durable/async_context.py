"""The first argument of a workflow that is an `async def`: as context.py, with steps that are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar, overload
from uuid import UUID

import psycopg

from pgqueue.context import JobContext
from pgqueue.durable.answers import Approval, Child
from pgqueue.durable.branches import all_of_async
from pgqueue.durable.callee import Callee, callee_of
from pgqueue.durable.children import as_many
from pgqueue.durable.context import results
from pgqueue.durable.core import Core, named, remembering
from pgqueue.durable.memos import Place
from pgqueue.durable.undoing import Undoable
from pgqueue.errors import LeaseLost, UsageError
from pgqueue.job import NewJob
from pgqueue.options import Duration
from pgqueue.store.durable import Memo, Standing
from pgqueue.tasks import target_of

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class AsyncDurable:
    """The first argument of an `async def` workflow: as Durable, where each call is awaited."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def job(self) -> JobContext:
        """The attempt that runs, as current_job() has it."""
        return self._core.job

    @property
    def id(self) -> UUID:
        """The job's id, the same at every attempt; signals are sent to it."""
        return self._core.job.id

    @overload
    async def step(
        self,
        name: str,
        function: Callable[Concatenate[psycopg.AsyncConnection[Any], P], Awaitable[R]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R: ...
    @overload
    async def step(
        self, name: str, function: Callable[P, Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> R: ...
    @overload
    async def step(self, name: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    async def step(self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """As Durable.step(); the function may be a plain one, which runs in a thread. A connection is an async one."""
        place, memo = await self._do(self._core.recall("step", name))
        return await self._taken(place, memo, function, args, kwargs)

    @overload
    async def sleep(self, duration: Duration, /) -> None: ...
    @overload
    async def sleep(self, name: str, duration: Duration, /) -> None: ...
    async def sleep(self, name: Any, duration: Any = None, /) -> None:
        """As Durable.sleep()."""
        await self._do(self._core.sleep(*(("sleep", name) if duration is None else (name, duration))))

    async def wait_for(self, event: str, *, timeout: Duration | None = None, default: Any = None) -> Any:
        """As Durable.wait_for()."""
        return await self._do(self._core.event(event, timeout, default))

    async def approve(self, question: str, *, timeout: Duration | None = None, **about: Any) -> Approval:
        """As Durable.approve()."""
        return await self._do(self._core.approve(question, about, timeout))

    @overload
    async def spawn(self, jobs: NewJob, /, *, name: str | None = None, detach: bool = False) -> Child: ...
    @overload
    async def spawn(
        self, jobs: Sequence[NewJob], /, *, name: str | None = None, detach: bool = False
    ) -> list[Child]: ...
    async def spawn(
        self, jobs: NewJob | Sequence[NewJob], /, *, name: str | None = None, detach: bool = False
    ) -> Child | list[Child]:
        """As Durable.spawn()."""
        several = as_many(jobs)
        said = name or (target_of(several[0].target).partition(":")[2] if several else "nothing")
        found = await self._do(self._core.spawn(said, several, detached=detach))
        return found[0] if isinstance(jobs, NewJob) else found

    async def join(
        self, *children: Child, timeout: Duration | None = None, return_exceptions: bool = False
    ) -> list[Any]:
        """As Durable.join()."""
        came = await self._do(self._core.ends(children, timeout))
        return results(children, came, return_exceptions)

    async def parallel(self, *calls: Awaitable[T], at_once: int = 8) -> list[T]:
        """As Durable.parallel(), in the event loop: `await ctx.parallel(ctx.step("a", f), ctx.step("b", g))`."""
        self._core.check_awake()
        return await all_of_async(calls, 1 if self._core.line.one_at_a_time else at_once)

    async def on_rollback(self, undo: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """As Durable.on_rollback()."""
        await self._do(self._core.register(undo, named(None, undo), args, kwargs))

    async def _taken(
        self, place: Place, memo: Memo | None, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        callee = callee_of(function.do if isinstance(function, Undoable) else function)
        if memo is not None:
            return self._core.memos.read(memo.result, place, callee.reader)
        if callee.connection == "sync":
            raise UsageError(
                f"step {place.name!r}: {callee.name} wants a psycopg.Connection, which would stop the event loop;"
                " annotate it as a psycopg.AsyncConnection, and await what it does"
            )
        undo = function.undo if isinstance(function, Undoable) else None
        if callee.connection is not None:
            return await self._in_transaction(place, callee, undo, args, kwargs)
        value = await _called(callee, *args, **kwargs)
        said = None if undo is None else self._core.undo_of(undo, [value], {}, place)
        return await self._do(self._core.keep(place, value, callee, said))

    async def _in_transaction(
        self, place: Place, callee: Callee, undo: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        core, line = self._core, self._core.line
        lender = line.lender()
        try:
            conn = await self._do(lender.lend(core.job.tenant))
            try:
                value = await callee.function(conn, *args, **kwargs)
                text = core.memos.written(value, place)
                seen = core.memos.again(value, text, place, callee.reader)
                said = None if undo is None else core.undo_of(undo, [value], {}, place)
            except BaseException:
                await self._do(lender.roll_back())
                raise
            stood: list[Standing] = []
            try:
                await self._do(lender.commit(remembering(core, place, text, said, stood)))
            except LeaseLost:
                if not stood or stood[0].said != "there":
                    core.job.late = True
                    raise
                return core.memos.read(stood[0].result, place, callee.reader)
            core.stands(stood[0])
            return seen
        finally:
            line.give_back(lender)

    async def _undo(self, memo: Memo) -> None:
        """Undo what one memo says, as a step."""
        function, args, kwargs = self._core.undo_found(memo)
        place, done = await self._do(self._core.recall("undone", f"{memo.kind} {memo.name}"))
        if done is None:
            await self._taken(place, done, function, args, kwargs)

    async def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return await self._core.line.finish_async(work)


async def _called(callee: Callee, *args: Any, **kwargs: Any) -> Any:
    if callee.is_async:
        return await callee.function(*args, **kwargs)
    value = await asyncio.to_thread(callee.function, *args, **kwargs)
    return await value if asyncio.iscoroutine(value) else value
