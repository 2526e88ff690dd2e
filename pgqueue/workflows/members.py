"""From jobs as users say them to rows: named, looked at, with what is to be filled in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from pgqueue.errors import ArgumentError, OptionError, UsageError
from pgqueue.job import NewJob
from pgqueue.store.workflow_rows import Ref
from pgqueue.tasks import registered
from pgqueue.tasks.addressing import Names, named
from pgqueue.workflows.arguments import Known, not_sealed, refused, taken_out
from pgqueue.workflows.batch_rows import BatchRows, Taken
from pgqueue.workflows.placeholders import NodeId, NodeResult, Placeholder, previous, results
from pgqueue.workflows.plan import Plan
from pgqueue.workflows.planned import Exit, Given, Spot

# Members that are made at a time: what an iterator yields is never held in memory.
CHUNK = 1000
# What is about one job among others that are known: in a workflow its id and its key are the whole's.
_REFUSED = {
    "unique_key": "give the workflow a unique_key: two runs of a member would be two workflows",
    "unique": "give the workflow a unique_key: two runs of a member would be two workflows",
    "job_id": "a workflow gives its jobs their ids, which node.id stands for",
    "on_conflict": "give the workflow a unique_key",
    "max_wait": "give the workflow a unique_key",
}


class Members:
    """Makes the rows of one workflow; `limit_key` is for its jobs that have none."""

    def __init__(self, plan: Plan, limit_key: str | None) -> None:
        self._plan = plan
        self._limit_key = limit_key
        self._names: Names = {}

    def singles(self, spots: list[Spot]) -> BatchRows:
        """The jobs of nodes that have one each."""
        return BatchRows([self._taken(spot, spot.job) for spot in spots])

    def chunks(self, spot: Spot) -> Iterator[BatchRows]:
        """The members of a group, as its iterator yields them."""
        members = iter(spot.members or ())
        while chunk := [self._taken(spot, new) for new in islice(members, CHUNK)]:
            yield BatchRows(chunk)

    def _taken(self, spot: Spot, new: NewJob | None) -> Taken:
        if not isinstance(new, NewJob):
            raise UsageError(
                f"{spot.name}: a group's iterator yields jobs, got {new!r:.80}; write task.job(...), and pass chains"
                " and groups in a list"
            )
        for option, advice in _REFUSED.items():
            if getattr(new, option) is not None:
                raise OptionError(f"{spot.name}: a job of a workflow has no {option}; {advice}")
        try:
            new = named(new, self._names)
        except ArgumentError as error:
            raise refused(new, error) from None
        for option in ("unique_key", "unique"):
            if getattr(new, option) is not None:
                raise OptionError(
                    f"{spot.name}: task {new.name} has {option}, and a job of a workflow has none; {_REFUSED[option]}"
                )
        if self._limit_key is not None and new.limit_key is None:
            new = replace(new, limit_key=self._limit_key)
        if spot.is_kept:
            new = _keeping(spot, new)
        return taken_out(new, lambda stands_for: self._found(spot, stands_for))

    def _found(self, spot: Spot, stands_for: Placeholder) -> Known | Ref:
        match stands_for:
            case NodeId(node=node):
                exit_ = self._exit(spot, node, stands_for)
                if exit_.only is None:
                    raise UsageError(f"{spot.name}: {stands_for!r}: it is not a single job, and so has no id of a job")
                return Known(str(exit_.only.id))
            case NodeResult(node=node):
                given = self._exit(spot, node, stands_for).given
            case _ if stands_for is previous:
                given = spot.bound.previous
            case _ if stands_for is results:
                given = spot.bound.results
            case _:
                given = None
        if given is None:
            raise UsageError(f"{spot.name}: there is nothing that {stands_for!r} could be; {_advice(stands_for)}")
        self._check_readable(given)
        return given.ref

    def _exit(self, spot: Spot, node: Any, stands_for: Placeholder) -> Exit:
        found = self._plan.exits.get(node)
        if found is None:
            raise UsageError(
                f"{spot.name}: {stands_for!r} is of a node that does not end before it; pass it as after=, too, and"
                " only nodes of this workflow"
            )
        return found

    def _check_readable(self, given: Given) -> None:
        for source in given.spots():
            if not source.is_kept:
                raise UsageError(f"the result of {source.name!r} is not kept; pass its node as after=, too")
            job = source.job
            task = None if job is None else registered(_target_text(job))
            if task is not None and task.bounds.codec is not None:
                raise not_sealed(source.name, task.target)


def _keeping(spot: Spot, new: NewJob) -> NewJob:
    if new.store_result is False:
        raise UsageError(
            f"the result of {spot.name!r} is used, and {new.name} stores none; leave store_result=False out"
        )
    return replace(new, store_result=True) if new.store_result is None else new


def _target_text(new: NewJob) -> str:
    return new.target if isinstance(new.target, str) else getattr(new.target, "target", "")


def _advice(stands_for: Placeholder) -> str:
    if stands_for is previous:
        return "it is the result of what is in front in a chain"
    return "it is what a group's callbacks are given"
