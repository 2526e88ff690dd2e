"""Parts of workflows: values, which touch no database before they are enqueued."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypedDict, Unpack, cast, overload

from pgqueue.call_options import CallOptions
from pgqueue.elsewhere import names_ours
from pgqueue.errors import OptionError, UsageError
from pgqueue.habits import OF_WORKFLOWS
from pgqueue.ids import new_job_id
from pgqueue.job import NewJob
from pgqueue.options import Duration, check_choice, check_duration, check_labels, check_name
from pgqueue.retry import seconds
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection
from pgqueue.store.workflow_rows import Head
from pgqueue.vocabulary import unknown_options
from pgqueue.workflows.compiled import Compiled
from pgqueue.workflows.plan import Plan
from pgqueue.workflows.planned import Bound, Event, Exit, Given, OnFailure
from pgqueue.workflows.sending import send
from pgqueue.workflows.started import Started


class WorkflowOptions(TypedDict, total=False):
    """What is said of a workflow as a whole."""

    name: str | None
    unique_key: str | None
    deadline: Duration | None
    labels: Mapping[str, str] | None
    limit_key: str | None
    on_failure: OnFailure


@names_ours("part of a workflow", OF_WORKFLOWS)
class Part:
    """A part of a workflow."""

    __slots__ = ()

    def __or__(self, other: object) -> NoReturn:
        raise UsageError("parts are put one behind the other by pgqueue.chain(part, job), not by |")

    def planned(self, plan: Plan, name: str, needs: tuple[Event, ...], bound: Bound) -> Exit:
        """Add its nodes to a plan."""
        raise NotImplementedError

    def plan(self) -> Plan:
        """The whole of it taken apart. Raises UsageError."""
        plan = Plan()
        self.planned(plan, "", (), Bound())
        return plan


class Canvas(Part):
    """A part that is a workflow by itself, too."""

    __slots__ = ()

    @overload
    def enqueue(self, conn: SyncConnection, /, **options: Unpack[WorkflowOptions]) -> Started: ...
    @overload
    def enqueue(self, conn: AsyncConnection, /, **options: Unpack[WorkflowOptions]) -> Awaitable[Started]: ...
    def enqueue(
        self,
        conn: AnyConnection,
        /,
        *,
        name: str | None = None,
        unique_key: str | None = None,
        deadline: Duration | None = None,
        labels: Mapping[str, str] | None = None,
        limit_key: str | None = None,
        on_failure: OnFailure = "hold",
        **unknown: Any,
    ) -> Started | Awaitable[Started]:
        """Enqueue it in the transaction open on `conn`: all of it exists if and only if that transaction commits.

        If a live workflow has the same `unique_key`, that one is answered and nothing is added. After `deadline`
        (seconds or a timedelta) what has not ended is cancelled. Jobs without a `limit_key` get this one. `on_failure`:
        what waits for a job that is dead is held, so that a retry goes on there, or is cancelled.

        Raises UsageError, and what an iterator raises: then nothing of it was written. O(jobs log n).
        """
        if unknown:
            raise OptionError(_no_options(unknown))
        head = head_of(name or type(self).__name__.lower(), unique_key, deadline, labels)
        check_name("limit_key", limit_key)
        check_choice("on_failure", on_failure, ("hold", "cancel"))
        return send(conn, Compiled(self.plan(), head, on_failure, limit_key))


def _no_options(names: Iterable[str]) -> str:
    """What is wrong with what is no option of a workflow."""
    if of_jobs := sorted(set(names) & CallOptions.__annotations__.keys()):
        return f"a workflow has no option {', '.join(of_jobs)}; say it of its jobs"
    return unknown_options("a workflow", names, list(WorkflowOptions.__annotations__))


def head_of(name: str, unique_key: str | None, deadline: Duration | None, labels: Mapping[str, str] | None) -> Head:
    """The row of a workflow. Raises OptionError."""
    check_name("name", name)
    check_name("unique_key", unique_key)
    check_duration("deadline", deadline, zero=False, infinite=False)
    check_labels(labels)
    return Head(new_job_id(), name, unique_key, None if deadline is None else seconds(deadline), labels)


Link = NewJob | Part


@dataclass(frozen=True, slots=True)
class Chain(Canvas):
    """Parts one after the other; `pgqueue.previous` is what the one in front returned."""

    parts: tuple[Link, ...]

    def planned(self, plan: Plan, name: str, needs: tuple[Event, ...], bound: Bound) -> Exit:
        """Each begins when the one in front has succeeded."""
        with plan.scope(needs) as scope:
            given: Given | None = bound.previous
            for part in self.parts:
                done = plan.part(part, _below(name, part), needs, Bound(given, bound.results))
                needs, given = done.success, done.given
        return plan.exit_of(scope, given)


@dataclass(frozen=True, slots=True)
class Group(Canvas):
    """Jobs, or parts, beside each other, and what follows them; `pgqueue.results` is the list of what they returned.

    `then` begins when all have succeeded, `on_complete` when all have ended, `on_death` when the first is dead or
    cancelled.
    """

    members: Iterable[Link]
    then: Link | None = None
    on_complete: NewJob | None = None
    on_death: NewJob | None = None
    name: str | None = None

    def planned(self, plan: Plan, name: str, needs: tuple[Event, ...], bound: Bound) -> Exit:
        """Its members, and what follows them."""
        own = name or self.name or short_name(next(iter(self.members), None) if self._is_list() else None)
        with plan.scope(needs) as around:
            with plan.scope(needs) as scope:
                given = self._members(plan, own, needs, bound)
            done = plan.exit_of(scope, given)
            after = Bound(given, given)
            if self.on_complete is not None:
                plan.callback(scope, "end", self.on_complete, f"{own}.on_complete", after)
            if self.on_death is not None:
                plan.callback(scope, "death", self.on_death, f"{own}.on_death", after)
            if self.then is None:
                return done
            last = plan.part(self.then, _below(name, self.then), done.success, after)
        return plan.exit_of(around, last.given)

    def _is_list(self) -> bool:
        return isinstance(self.members, list | tuple)

    def _members(self, plan: Plan, name: str, needs: tuple[Event, ...], bound: Bound) -> Given | None:
        if not self._is_list() or all(isinstance(each, NewJob) for each in self.members):
            return plan.members(cast(Iterable[NewJob], self.members), name, needs, bound).given
        each = [plan.part(part, f"{name}.{number}", needs, bound).given for number, part in enumerate(self.members)]
        known = tuple(given for given in each if given is not None)
        return Given(known) if len(known) == len(each) else None


def short_name(part: object) -> str:
    """What a node is called where nobody has given it a name: as its task."""
    if not isinstance(part, NewJob):
        return "group" if part is None or isinstance(part, Group) else type(part).__name__.lower()
    target = part.target
    name: str = target if isinstance(target, str) else getattr(target, "__name__", "job")
    return name.rpartition(":")[2]


def _below(name: str, part: Link) -> str:
    """The name of a part within another one."""
    if not name or isinstance(part, Chain):
        return name
    return f"{name}.{short_name(part)}"
