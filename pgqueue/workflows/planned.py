"""What a workflow is made of once its parts are taken apart: nodes, what each waits for, and parts as wholes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from uuid import UUID

from pgqueue.job import NewJob
from pgqueue.store.workflow_rows import Ref
from pgqueue.workflows.gates import Gate

# Of a node or a whole part: it succeeded; it ended, however; something of it failed for good.
What = Literal["success", "end", "failure"]
OnFailure = Literal["hold", "cancel"]


class Event(NamedTuple):
    """What can be waited for."""

    of: Spot | Scope
    what: What


@dataclass(frozen=True, slots=True)
class Given:
    """A result that may be used: of a node, or the list of several."""

    of: Spot | tuple[Given, ...]

    @property
    def ref(self) -> Ref:
        """Where it is found."""
        return self.of.ref if isinstance(self.of, Spot) else [each.ref for each in self.of]

    def spots(self) -> Iterator[Spot]:
        """Whose jobs must store what they return."""
        if isinstance(self.of, Spot):
            yield self.of
            yield from (branch.spot for branch in self.of.branches)
        else:
            for each in self.of:
                yield from each.spots()


class Bound(NamedTuple):
    """What the placeholders of a part stand for; None where there is nothing."""

    previous: Given | None = None
    results: Given | None = None


@dataclass(slots=True, eq=False)
class Spot:
    """One node: a single job, or the members of a group. Its links are filled in as it is wired.

    `repairs` is the node whose failure starts this one, on `errors`, or on others than those.
    """

    number: int
    name: str
    needs: tuple[Event, ...]
    bound: Bound
    job: NewJob | None = None
    id: UUID | None = None
    members: Iterable[NewJob] | None = None
    is_optional: bool = False
    is_callback: bool = False
    # Whether members may be added later, each with `links`.
    is_open: bool = False
    links: tuple[list[int], list[int]] | None = None
    # Whether somebody is to be given what it returns.
    is_kept: bool = False
    repairs: Spot | None = None
    branches: list[Branch] = field(default_factory=list)
    target: str | None = None
    total: int = 1
    gate: Gate | None = None
    success: list[int] = field(default_factory=list)
    failure: list[int] = field(default_factory=list)
    # Of a group.
    all_succeeded: Gate | None = None
    all_ended: Gate | None = None
    # Of one with branches: it or one of them succeeded; it failed for good.
    done: Gate | None = None
    failed: Gate | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return self.members == ()

    @property
    def is_group(self) -> bool:
        """Whether it has members."""
        return self.members is not None

    @property
    def ref(self) -> Ref:
        """What it returned: of a group the list of its members' results."""
        if self.is_group:
            return self.number
        if self.branches:
            return {"first": [str(self.id), *(str(branch.spot.id) for branch in self.branches)]}
        return str(self.id)

    @property
    def fails_to(self) -> list[int]:
        """The links that fire when it has failed for good."""
        return self.failure if self.failed is None else self.failed.links


class Branch(NamedTuple):
    """What is done where a node has failed of one of `errors`, by their names; None: of any other."""

    errors: list[str] | None
    spot: Spot


@dataclass(slots=True, eq=False)
class Scope:
    """A part as a whole: what it waits for, its nodes, and whether the part needs each of them to go well."""

    needs: tuple[Event, ...]
    spots: list[tuple[Spot, bool]] = field(default_factory=list)
    ended: Gate | None = None
    failed: Gate | None = None

    def vital(self) -> list[Spot]:
        """Those whose success means that of the whole: what others of it wait for is left out."""
        vital = [spot for spot, is_vital in self.spots if is_vital]
        needs = {id(spot.needs): spot.needs for spot in vital}.values()
        implied = {need.of for each in needs for need in each if need.what == "success" and isinstance(need.of, Spot)}
        return [spot for spot in vital if spot not in implied]


def ends_of(needs: Iterable[Event]) -> tuple[Event, ...]:
    """The same, however it ends."""
    return tuple(dict.fromkeys(Event(need.of, "end") for need in needs))


class Exit(NamedTuple):
    """A part that has been planned: what its success is, its end, and what it returned."""

    success: tuple[Event, ...]
    end: tuple[Event, ...]
    given: Given | None
    # The only job of it, if it is one.
    only: Spot | None = None
