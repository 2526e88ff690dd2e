"""What a workflow is given first: its steps, and what it may wait for. For `async def` see async_context.py."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar, overload
from uuid import UUID

import psycopg

from pgqueue.context import JobContext
from pgqueue.durable.answers import Approval, Child, failure, returned
from pgqueue.durable.branches import all_of
from pgqueue.durable.callee import Callee, callee_of
from pgqueue.durable.children import as_many
from pgqueue.durable.core import Core, named, remembering
from pgqueue.durable.memos import Place
from pgqueue.durable.undoing import Undoable
from pgqueue.errors import LeaseLost, ResultTimeout, UsageError
from pgqueue.job import NewJob
from pgqueue.options import Duration
from pgqueue.store.durable import Memo, Standing
from pgqueue.tasks import target_of

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
_INSTEAD = "make the workflow an `async def`, whose steps are awaited"


class Durable:
    """The first argument of a workflow. What it has done is remembered: after a crash it goes on behind that."""

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
    def step(
        self,
        name: str,
        function: Callable[Concatenate[psycopg.Connection[Any], P], R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R: ...
    @overload
    def step(self, name: str, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def step(self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a function once, and remember what it returned; later attempts are answered that, and do not call it.

        If its first parameter is annotated as a psycopg.Connection it gets one with a transaction open, which commits
        together with the memo: exactly once. Else the memo is written behind it, and it runs again after a crash in
        between. The answer is what JSON and the function's annotation make of it, also the first time. A name that is
        used again, as in a loop, is `name#2`.

        Raises what the function raises; StepUnreadable if what is remembered does not fit its annotation any more;
        LeaseLost if the attempt is late; ArgumentError for what is not JSON, or more than 1 MB of it.
        """
        place, memo = self._do(self._core.recall("step", name))
        return self._taken(place, memo, function, args, kwargs)

    @overload
    def sleep(self, duration: Duration, /) -> None: ...
    @overload
    def sleep(self, name: str, duration: Duration, /) -> None: ...
    def sleep(self, name: Any, duration: Any = None, /) -> None:
        """Sleep for seconds, or a timedelta, of months if need be: without a slot, and without an attempt.

        Raises Suspended, which is no Exception; the function is begun again when the time has come, and comes here.
        """
        self._do(self._core.sleep(*(("sleep", name) if duration is None else (name, duration))))

    def wait_for(self, event: str, *, timeout: Duration | None = None, default: Any = None) -> Any:
        """Wait for pgqueue.signal(conn, job_id, event, payload), without a slot; answers the payload, as JSON has it.

        It may have come before; the first of a name counts. `default` if it has not come within `timeout`, counted
        from the first call; that stays so. Raises Suspended, as sleep().
        """
        return self._do(self._core.event(event, timeout, default))

    def approve(self, question: str, *, timeout: Duration | None = None, **about: Any) -> Approval:
        """Ask a human, who finds the question, and `about` what, in `pgqueue manual list`; waits as wait_for().

        True if the answer is `manual done`, unless its result is false; not if it is `manual fail`, or none in time.
        """
        return self._do(self._core.approve(question, about, timeout))

    @overload
    def spawn(self, jobs: NewJob, /, *, name: str | None = None, detach: bool = False) -> Child: ...
    @overload
    def spawn(self, jobs: Sequence[NewJob], /, *, name: str | None = None, detach: bool = False) -> list[Child]: ...
    def spawn(
        self, jobs: NewJob | Sequence[NewJob], /, *, name: str | None = None, detach: bool = False
    ) -> Child | list[Child]:
        """Bring a job, or up to 1,000, in a step of its own: `ctx.spawn(mail.job(42))`; join() waits for them.

        They are cancelled if this one dies or is cancelled, unless they are detached. Raises as enqueue(), SpawnLimit.
        """
        several = as_many(jobs)
        said = name or (target_of(several[0].target).partition(":")[2] if several else "nothing")
        found = self._do(self._core.spawn(said, several, detached=detach))
        return found[0] if isinstance(jobs, NewJob) else found

    def join(self, *children: Child, timeout: Duration | None = None, return_exceptions: bool = False) -> list[Any]:
        """Wait until these children have ended, without a slot; answers what they returned, in order.

        Raises JobFailed for the first that has not succeeded, or answers it in its place with `return_exceptions`;
        ResultTimeout if some go on after the `timeout`; Suspended, as sleep().
        """
        came = self._do(self._core.ends(children, timeout))
        return results(children, came, return_exceptions)

    def parallel(self, *calls: Callable[[], T], at_once: int = 8) -> list[T]:
        """Have several branches run at once, in threads: `ctx.parallel(lambda: ctx.step("a", f), ...)`.

        Answers what they returned, in order; when all have ended it raises what the first of them raised. Names of
        steps are each one branch's own. In a branch nothing can be waited for: spawn() children for that.
        """
        self._core.check_awake()
        return all_of(calls, 1 if self._core.line.one_at_a_time else at_once)

    def on_rollback(self, undo: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Have `undo` called with these arguments if the workflow dies or is cancelled: the last one first.

        That is done by a job of its own, in which each undo is a step. Say it before what is to be undone, and let
        `undo` bear that this was never done; undoable() is told what a step returned. Also an `async def` in an async
        workflow; one that wants a connection first is given one. Raises TargetError for what no worker could find.
        """
        self._do(self._core.register(undo, named(None, undo), args, kwargs))

    def _taken(
        self, place: Place, memo: Memo | None, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        callee = callee_of(function.do if isinstance(function, Undoable) else function)
        if memo is not None:
            return self._core.memos.read(memo.result, place, callee.reader)
        if callee.is_async or callee.connection == "async":
            raise UsageError(f"step {place.name!r}: {callee.name} is for an event loop; {_INSTEAD}")
        undo = function.undo if isinstance(function, Undoable) else None
        if callee.connection is not None:
            return self._in_transaction(place, callee, undo, args, kwargs)
        value = callee.function(*args, **kwargs)
        said = None if undo is None else self._core.undo_of(undo, [value], {}, place)
        return self._do(self._core.keep(place, value, callee, said))

    def _in_transaction(
        self, place: Place, callee: Callee, undo: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        core, line = self._core, self._core.line
        lender = line.lender()
        try:
            conn = self._do(lender.lend(core.job.tenant))
            try:
                value = callee.function(conn, *args, **kwargs)
                text = core.memos.written(value, place)
                seen = core.memos.again(value, text, place, callee.reader)
                said = None if undo is None else core.undo_of(undo, [value], {}, place)
            except BaseException:
                self._do(lender.roll_back())
                raise
            stood: list[Standing] = []
            try:
                self._do(lender.commit(remembering(core, place, text, said, stood)))
            except LeaseLost:
                if not stood or stood[0].said != "there":
                    core.job.late = True
                    raise
                return core.memos.read(stood[0].result, place, callee.reader)
            core.stands(stood[0])
            return seen
        finally:
            line.give_back(lender)

    def _undo(self, memo: Memo) -> None:
        """Undo what one memo says, as a step."""
        function, args, kwargs = self._core.undo_found(memo)
        place, done = self._do(self._core.recall("undone", f"{memo.kind} {memo.name}"))
        if done is None:
            self._taken(place, done, function, args, kwargs)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._core.line.finish(work, _INSTEAD)


def results(children: Sequence[Child], came: Sequence[Any] | None, return_exceptions: bool) -> list[Any]:
    """What children returned. Raises JobFailed, ResultTimeout."""
    if came is None:
        raise ResultTimeout(f"{len(children)} children were waited for in vain: not all ended in time; they go on")
    if return_exceptions:
        return [
            returned(child, ended) if ended["state"] == "succeeded" else failure(child, ended)
            for child, ended in zip(children, came, strict=True)
        ]
    return [returned(child, ended) for child, ended in zip(children, came, strict=True)]
