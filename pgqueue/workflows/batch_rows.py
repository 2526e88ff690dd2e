"""Jobs that are written together become rows, as those want them who look on where jobs are enqueued."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from uuid import UUID

from pgqueue import enqueuing, instruments, signing
from pgqueue.codec import args_of
from pgqueue.errors import ArgumentError
from pgqueue.ids import new_job_ids
from pgqueue.instruments import Headers, SendingWatch
from pgqueue.job import NewJob
from pgqueue.store.kept_args import kept_args
from pgqueue.store.workflow_rows import MemberRow, Ref
from pgqueue.workflows.arguments import filled_now, refused, written_inputs
from pgqueue.workflows.planned import Spot

# A job, and what is to be filled in among its arguments.
Taken = tuple[NewJob, dict[str, Ref]]


class BatchRows:
    """Jobs whose arguments have been written. Raises ArgumentError."""

    def __init__(self, taken: Sequence[Taken]) -> None:
        self.new_jobs: Sequence[NewJob] = [new for new, _ in taken]
        self._inputs = [inputs for _, inputs in taken]
        headers: Sequence[Headers] = ()
        if enqueuing.registered:
            self.new_jobs, headers = enqueuing.adjusted(self.new_jobs)
        self._watch: SendingWatch | None = None
        if instruments.installed or any(headers):
            self._watch = SendingWatch(self.new_jobs, None, headers)
        self._args = [_text(new) for new in self.new_jobs]
        self._signer = signing.signer()

    def of_group(self, spot: Spot) -> list[MemberRow]:
        """The rows of a group's members, each with its share of the links."""
        return list(self._rows(repeat(spot), new_job_ids(len(self.new_jobs))))

    def of_singles(self, spots: Sequence[Spot]) -> list[MemberRow]:
        """The rows of nodes that are single jobs."""
        return list(self._rows(spots, [spot.id for spot in spots if spot.id is not None]))

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks on."""
        return self._watch is not None

    def told(self, ids: Sequence[UUID], error: BaseException | None) -> None:
        """Tell those who look on how it ended."""
        if self._watch is not None:
            self._watch.ended(ids, error)

    def _rows(self, spots: Iterator[Spot] | Sequence[Spot], ids: Sequence[UUID]) -> Iterator[MemberRow]:
        headers: Sequence[str | None] = [None] * len(ids) if self._watch is None else self._watch.headers
        each = zip(self.new_jobs, self._args, self._inputs, headers, ids, spots, strict=False)
        for new, args, inputs, header, job_id, spot in each:
            gate = None if spot.gate is None or spot.gate.is_open else spot.gate.number
            if inputs and gate is None:
                new, inputs = replace(new, args=filled_now(new.args, inputs)), {}
                args = _text(new)
            args = kept_args(new, args, job_id, inputs)
            success, failure = (spot.success, spot.failure) if spot.job is not None else links_of_member(spot)
            if self._signer is not None:
                header = self._signer.job(new, job_id, args, header, filled=tuple(inputs))
            written = written_inputs(inputs)
            yield MemberRow(job_id, new, args, spot.number, gate, written, success, failure, header, self._signer)


def links_of_member(spot: Spot) -> tuple[list[int], list[int]]:
    """The links of one more member of a group."""
    success, failure = list(spot.success), list(spot.failure)
    if spot.all_succeeded is not None:
        success.append(spot.all_succeeded.count())
    if spot.all_ended is not None:
        link = spot.all_ended.count()
        success.append(link)
        failure.append(link)
    return success, failure


def _text(new: NewJob) -> str:
    try:
        return args_of(new)
    except ArgumentError as error:
        raise refused(new, error) from None
