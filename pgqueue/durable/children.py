"""Children of a durable function, on their way into the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from pgqueue import signing
from pgqueue.brings import MAX_CHILDREN, MAX_DEPTH
from pgqueue.codec import load
from pgqueue.durable.answers import Child
from pgqueue.errors import OptionError, UsageError
from pgqueue.instruments import SendingWatch
from pgqueue.job import NewJob
from pgqueue.spawning import adjusted
from pgqueue.store import spawning
from pgqueue.tasks import Task, target_of
from pgqueue.tasks.addressing import Names, named

# What makes a job another one's: a step is taken once as it is.
_OF_KEYS = ("unique_key", "unique", "unique_until", "unique_for", "on_conflict", "job_id")
# Of one call.
MOST = 1_000


class Coming(NamedTuple):
    """Jobs that are about to be enqueued, as JSON under the ids that they will have; and who looks on."""

    targets: Sequence[str]
    ids: Sequence[UUID]
    texts: Sequence[str]
    watches: Sequence[tuple[UUID, SendingWatch]]

    def children(self) -> list[Child]:
        """What the function is answered."""
        return [Child(each, target) for each, target in zip(self.ids, self.targets, strict=True)]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Tell who looks on what became of them."""
        try:
            yield
        except BaseException as error:
            for _, watch in self.watches:
                watch.ended((), error)
            raise
        for job_id, watch in self.watches:
            watch.ended([job_id], None)


def prepared(new: Sequence[NewJob]) -> Coming:
    """Jobs as they will be enqueued, with their results stored for join(). Raises what enqueue() raises."""
    if len(new) > MOST:
        raise UsageError(
            f"spawn() brings at most {MOST:,} jobs in a step, got {len(new):,}; call it again for the rest"
        )
    names: Names = {}
    targets: list[str] = []
    ids: list[UUID] = []
    texts: list[str] = []
    watches: list[tuple[UUID, SendingWatch]] = []
    signer = signing.signer()
    for each in new:
        one = named(each, names)
        if said := [name for name in _OF_KEYS if getattr(one, name) is not None]:
            raise OptionError(f"spawn() is a step, and brings a job once: leave {', '.join(said)} out")
        if one.store_result is None:
            one = replace(one, store_result=True)
        one, headers, watch = adjusted(one)
        job_id = spawning.with_id(one)
        targets.append(one.name)
        ids.append(job_id)
        texts.append(spawning.written(one, headers, job_id=job_id, signer=signer))
        if watch is not None:
            watches.append((job_id, watch))
    return Coming(targets, ids, texts, watches)


def known_again(text: str | None, new: Sequence[NewJob]) -> list[Child]:
    """Children that were brought before; where the code brings others now, those that are there count."""
    targets = [target_of(each.target) for each in new] or [""]
    ids = [UUID(each) for each in load(text or "[]")]
    return [Child(each, targets[min(n, len(targets) - 1)]) for n, each in enumerate(ids)]


def bounds_of(task: Task[Any, Any]) -> tuple[int, int]:
    """How deep, and how many, the children of its jobs may be."""
    deep, many = task.follows.max_depth, task.follows.max_children
    return MAX_DEPTH if deep is None else deep, MAX_CHILDREN if many is None else many


def as_many(jobs: NewJob | Sequence[NewJob]) -> list[NewJob]:
    """One job, or several. Raises UsageError for what is neither."""
    several = [jobs] if isinstance(jobs, NewJob) else list(jobs)
    for each in several:
        if not isinstance(each, NewJob):
            raise UsageError(f"spawn() takes NewJobs, got {each!r:.80}; write task.job(...)")
    return several
