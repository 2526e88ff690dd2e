"""A batch: the jobs of one task that one call runs, each as current_job() would be of it alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, NoReturn, TypeVar, overload
from uuid import UUID

from pgqueue.context import JobContext
from pgqueue.errors import UsageError
from pgqueue.job import Claim
from pgqueue.job_log import JobLog

T = TypeVar("T")


class BatchItem(JobContext, Generic[T]):
    """One job of a batch: `id`, `attempt`, `labels`, `cancelled`, `log` and the rest are its own.

    `args` is what the task's `Batch[...]` says: an instance of that class, made from the job's arguments; without it
    the list or dict that was enqueued. `deadline` is that of the whole batch.
    """

    _of_batch = True
    args: T  # type: ignore[assignment]  # what was enqueued, as the task wants to read it
    # It says of the whole call what is to be hidden.
    _batch: Batch[T]

    def __init__(self, job: JobContext, claim: Claim, args: T) -> None:
        said = job.labels, job.deadline, job._transactional, job._secrecy, job._spawner
        super().__init__(claim, args, *said)  # type: ignore[arg-type]  # as above
        # As it would be alone: what its task's codec writes, and what it has to hide.
        self._own = job

    @property
    def log(self) -> JobLog:
        """Keeps lines with this attempt of this job."""
        if self._log is None:
            claim = self._claim
            kept = self._kept_line if self.is_encrypted else None
            self._log = JobLog((claim.id, claim.claim, claim.attempt), self._own.args, self._outlet, self.hide, kept)
        return self._log

    def progress(self, *_: Any, **__: Any) -> NoReturn:
        """Refused: a batch is one short call, and its jobs end together. Raises UsageError."""
        raise _not_long("progress")

    def extend(self, *_: Any, **__: Any) -> NoReturn:
        """Refused, as progress()."""
        raise _not_long("extend")

    def checkpoint(self, *_: Any, **__: Any) -> NoReturn:
        """Refused, as progress()."""
        raise _not_long("checkpoint")

    @property
    def is_encrypted(self) -> bool:
        """Whether what is written of it is encrypted."""
        return self._own.is_encrypted

    def hide(self, text: str) -> str:
        """The text, with dots in place of what any job of the batch has that is sensitive."""
        return text if self._secrecy is None else self._batch.hide(text)

    @property
    def _given_as_json(self) -> str:
        return self._own._given_as_json

    def _written(self, result: object) -> str:
        return self._own._written(result)


class Batch(Sequence[BatchItem[T]], Generic[T]):
    """The jobs that one call is to do, in the order in which they would have run.

    The task returns None if all of them succeeded, or a mapping: the id of a job to its result, or to an exception,
    which fails that job alone. What it does not name has succeeded.
    """

    __slots__ = ("_is_sensitive", "_items")

    def __init__(self, items: Sequence[BatchItem[T]]) -> None:
        self._items = tuple(items)
        self._is_sensitive = any(item.is_sensitive for item in self._items)
        for item in self._items:
            item._batch = self

    def __repr__(self) -> str:
        return f"<Batch of {len(self)} jobs of {self._items[0].target}>" if self._items else "<Batch of 0 jobs>"

    @overload
    def __getitem__(self, index: int) -> BatchItem[T]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[BatchItem[T]]: ...
    def __getitem__(self, index: int | slice) -> BatchItem[T] | Sequence[BatchItem[T]]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[BatchItem[T]]:
        return iter(self._items)

    @property
    def ids(self) -> list[UUID]:
        """The ids of its jobs, in its order."""
        return [item.id for item in self._items]

    def hide(self, text: str) -> str:
        """The text, with dots in place of what any of its jobs has that is sensitive."""
        for item in self._items if self._is_sensitive else ():
            text = item._own.hide(text)
        return text


def _not_long(call: str) -> UsageError:
    return UsageError(f"{call}() is for a job that is long, and has a call of its own; this one is one of a batch")
