"""What a running job enqueues: in its transaction, or gathered until it succeeds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from uuid import UUID

from pgqueue import enqueuing, instruments, signing
from pgqueue.brings import Brings, Kind
from pgqueue.codec import args_of
from pgqueue.context import JobContext
from pgqueue.enqueued import Enqueued
from pgqueue.errors import OptionError, UsageError
from pgqueue.instruments import Headers, SendingWatch
from pgqueue.job import NewJob, Target
from pgqueue.signing import Signer
from pgqueue.store import spawning
from pgqueue.store.asking import ask, telling
from pgqueue.store.connection import SyncConnection, is_async
from pgqueue.store.kept_args import kept_args
from pgqueue.store.line import Line
from pgqueue.store.statement import Statement
from pgqueue.store.sync_or_async import answer, at_once
from pgqueue.tasks import Task, registered, target_of
from pgqueue.tasks.addressing import named
from pgqueue.workflows.graft import grafted
from pgqueue.workflows.planned import OnFailure

# What runs a statement.
Run = Callable[[Statement[list[Enqueued]]], Awaitable[list[Enqueued]]]


class Spawning:
    """Enqueues for jobs whose task says how many others each may bring, and how deep; None is the default."""

    def __init__(self, max_depth: int | None = None, max_children: int | None = None) -> None:
        self._bounds = max_depth, max_children

    def enqueue(self, job: JobContext, new: NewJob) -> Enqueued:
        """In the transaction of the job, or with its success."""
        conn = None if job._line is None else job._line.transaction
        if conn is None or is_async(conn):
            return self._gather(job, "jobs", named(new, {}))
        return at_once(self._spawned(job, new, lambda statement: answer(ask(cast(SyncConnection, conn), statement))))

    def enqueue_at_once(self, job: JobContext, line: Line, new: NewJob) -> Any:
        """Now, whatever becomes of the attempt; awaitable in the event loop of an async task."""
        return line.call(self._spawned(job, new, lambda statement: telling(line.run(statement))))

    async def _spawned(self, job: JobContext, new: NewJob, run: Run) -> Enqueued:
        new, headers, watch = adjusted(named(new, {}))
        signer = _signer_of(job)
        job_id = spawning.with_id(new)
        kept = kept_args(new, args_of(new), job_id)
        text = spawning.written(new, headers, job_id=job_id, kept=kept, signer=signer)
        bounds = Brings(*self._bounds)
        try:
            (made,) = await run(spawning.spawn(job.id, [text], "enqueue", bounds.max_depth, bounds.max_children))
            if made.replaced and signer is not None:
                anew = spawning.sealed_anew(new, made.id, kept, headers, signer)
                await run(Statement(anew.sql, anew.params, lambda _: [made]))
        except BaseException as error:
            if watch is not None:
                watch.ended((), error)
            raise
        if watch is not None:
            watch.ended([made.id], None)
        return made

    def effect(self, job: JobContext, task: Target | NewJob, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Enqueued:
        """With the success of the job."""
        return self._gather(job, "effects", named(_call(task, args, kwargs), {}))

    def graft(self, job: JobContext, part: Any, on_failure: OnFailure) -> list[UUID]:
        """To its workflow, with the success of the job."""
        _check_gathers(job)
        said, ids = grafted(part, on_failure)
        self._brings(job).add("grafts", said)
        return ids

    def _gather(self, job: JobContext, kind: Kind, new: NewJob) -> Enqueued:
        _check_gathers(job)
        signer = _signer_of(job)
        if new.on_conflict == "raise":
            raise OptionError(
                "on_conflict='raise' has nobody to raise to when the job succeeds; say 'keep' or 'replace'"
            )
        if new.on_conflict == "replace" and signer is not None:
            raise OptionError(
                "on_conflict='replace' cannot be signed for a job whose id is known when this one has succeeded;"
                " say at='once', or 'keep'"
            )
        new, headers, watch = adjusted(new)
        job_id = spawning.with_id(new)
        self._brings(job).add(kind, spawning.written(new, headers, job_id=job_id, signer=signer))
        if watch is not None:
            watch.ended([job_id], None)
        return Enqueued(job_id, True)

    def _brings(self, job: JobContext) -> Brings:
        if job._brings is None:
            job._brings = Brings(*self._bounds)
        return job._brings


def _signer_of(job: JobContext) -> Signer | None:
    """What signs for the tenant of a job: what that brings is the same one's."""
    signer = signing.signer()
    return None if signer is None else signer.acting_for(job.tenant)


def _check_gathers(job: JobContext) -> None:
    if job._iterable:
        raise UsageError(
            "an iterable task may go on in another attempt, which knows nothing of what waits for the success;"
            " say at='once', or enqueue in the transaction of a unit"
        )


def _call(task: Target | NewJob, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NewJob:
    if isinstance(task, NewJob):
        if args or kwargs:
            raise UsageError("a NewJob has its arguments; pass it alone: job.effect(new)")
        return task
    known = task if isinstance(task, Task) else registered(target_of(task))
    if known is not None:
        return known.job(*args, **kwargs)
    if args and kwargs:
        raise UsageError(
            f"{target_of(task)} is not known here, so that its arguments are all positional or all by keyword"
        )
    return NewJob(task, kwargs or args or None)


def adjusted(new: NewJob) -> tuple[NewJob, str | None, SendingWatch | None]:
    """The job as those want it who look on where jobs are enqueued, and what is to travel with it."""
    headers: Sequence[Headers] = ()
    if enqueuing.registered:
        (new,), headers = enqueuing.adjusted([new])
    if not instruments.installed and not any(headers):
        return new, None, None
    watch = SendingWatch([new], None, headers)
    return new, watch.headers[0], watch
