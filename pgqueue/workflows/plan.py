"""A workflow that is being taken apart: parts become nodes, in the order in which they can begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, Protocol
from uuid import UUID

from pgqueue.errors import OptionError, UsageError
from pgqueue.ids import new_job_ids
from pgqueue.job import NewJob
from pgqueue.workflows.planned import Bound, Branch, Event, Exit, Given, Scope, Spot, ends_of

# Nodes, not members: each has a row that people look at.
MOST_NODES = 100_000


class Part(Protocol):
    """A part of a workflow that is more than one job."""

    def planned(self, plan: Plan, name: str, needs: tuple[Event, ...], bound: Bound) -> Exit:
        """Add its nodes to the plan, which begin when all of `needs` have happened."""


class Plan:
    """The nodes so far. `exits` are the parts that were planned as nodes of a Workflow, by their Node."""

    def __init__(self) -> None:
        self.spots: list[Spot] = []
        self.whole = Scope(())
        self.exits: dict[Any, Exit] = {}
        # What is told how a part ended, and of which part; on_death is a failure that may not be the last.
        self.callbacks: list[tuple[Scope, str, Spot]] = []
        self._open: list[tuple[Scope, bool]] = [(self.whole, True)]
        self._names: dict[str, int] = {}
        self._ids: list[UUID] = []

    def part(self, part: Any, name: str, needs: tuple[Event, ...], bound: Bound) -> Exit:
        """Plan a job or a part. Raises UsageError for what is neither."""
        if isinstance(part, NewJob):
            return self.job(part, name, needs, bound)
        if not hasattr(part, "planned"):
            advice = (
                "write task.job(...)" if hasattr(part, "job") else "a part is a job, a chain, a group or a Workflow"
            )
            raise UsageError(f"{name or 'a part'} cannot be {part!r:.80}; {advice}")
        exit_: Exit = part.planned(self, name, needs, bound)
        return exit_

    def job(self, new: NewJob, name: str, needs: tuple[Event, ...], bound: Bound) -> Exit:
        """Plan a single job."""
        spot = self._added(Spot(0, name, needs, bound, job=new, id=self._new_id()))
        return Exit((Event(spot, "success"),), (Event(spot, "end"),), Given(spot), spot)

    def members(
        self, new_jobs: Iterable[NewJob], name: str, needs: tuple[Event, ...], bound: Bound, *, is_open: bool = False
    ) -> Exit:
        """Plan a group; what an iterator yields is looked at when it is written, but for the first.

        What follows an empty one waits for what that would have waited for.
        """
        coming = iter(new_jobs)
        first = next(coming, None)
        if first is None and not is_open:
            spot = self._number(Spot(0, name, needs, bound, members=(), is_optional=True, total=0))
            return Exit(needs, ends_of(needs), Given(spot))
        if not isinstance(new_jobs, list | tuple):
            new_jobs = chain([first] if first is not None else (), coming)
        spot = self._added(Spot(0, name, needs, bound, members=new_jobs, is_open=is_open, total=0))
        return Exit((Event(spot, "success"),), (Event(spot, "end"),), Given(spot))

    def branch(self, spot: Spot, new: NewJob, name: str, errors: list[str] | None) -> None:
        """Plan what is done in place of a job that has failed."""
        made = Spot(0, name, (), spot.bound, job=new, id=self._new_id(), is_optional=True, repairs=spot)
        spot.branches.append(Branch(errors, self._added(made, is_vital=False)))

    def callback(self, scope: Scope, what: str, part: NewJob, name: str, bound: Bound) -> None:
        """Plan what is told how a part ended."""
        if not isinstance(part, NewJob):
            raise UsageError(f"{name} must be a job, got {part!r:.80}; write task.job(...)")
        needs = tuple(Event(spot, "success") for spot in scope.vital())
        made = Spot(0, name, needs, bound, job=part, id=self._new_id(), is_optional=True, is_callback=True)
        self._number(made)
        self.callbacks.append((scope, what, made))

    @contextmanager
    def scope(self, needs: tuple[Event, ...], *, is_optional: bool = False) -> Iterator[Scope]:
        """A part as a whole: what is planned in the block is of it. What is around an optional one does without it."""
        scope = Scope(needs)
        self._open.append((scope, not is_optional))
        try:
            yield scope
        finally:
            self._open.pop()

    @contextmanager
    def optional(self) -> Iterator[None]:
        """What is around the block goes well without what is planned in it."""
        with self.scope((), is_optional=True):
            yield

    def exit_of(self, scope: Scope, given: Given | None) -> Exit:
        """How a part that was planned in a scope ends."""
        if not scope.spots:
            return Exit(scope.needs, ends_of(scope.needs), given)
        success = tuple(Event(spot, "success") for spot in scope.vital())
        if len(scope.spots) == 1:
            ((spot, _),) = scope.spots
            return Exit(success or (Event(spot, "end"),), (Event(spot, "end"),), given)
        end = (Event(scope, "end"),)
        return Exit(success or end, end, given)

    def _added(self, spot: Spot, *, is_vital: bool = True) -> Spot:
        for scope, is_needed in reversed(self._open):
            scope.spots.append((spot, is_vital))
            is_vital = is_vital and is_needed
        spot.is_optional = spot.is_optional or not self.whole.spots[-1][1]
        return self._number(spot)

    def _new_id(self) -> UUID:
        # Few workflows have one node, and ids made together cost a third.
        if not self._ids:
            self._ids = new_job_ids(min(500, 10 + len(self.spots)))[::-1]
        return self._ids.pop()

    def _number(self, spot: Spot) -> Spot:
        if len(self.spots) >= MOST_NODES:
            raise OptionError(
                f"a workflow may have {MOST_NODES:,} nodes; make those that are alike the members of a group"
            )
        self.spots.append(spot)
        spot.number = len(self.spots)
        wanted = spot.name or _short_name(spot)
        number = self._names[wanted] = self._names.get(wanted, 0) + 1
        spot.name = wanted if number == 1 else f"{wanted}-{number}"
        return spot


def _short_name(spot: Spot) -> str:
    if spot.job is None:
        return "group"
    target = spot.job.target
    name: str = target if isinstance(target, str) else getattr(target, "__name__", "job")
    return name.rpartition(":")[2]
