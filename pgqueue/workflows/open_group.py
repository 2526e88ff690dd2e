"""Groups to which jobs are added while others of them run already: Sidekiq and GoodJob call one a batch.

    group = pgqueue.open_group(conn, "import 7", on_success=publish.job(7))
    group.add(conn, load.job(1), load.job(2))
    group.close(conn)

It is a workflow with one node, which is open. That owes its gates one count, so that they stay until it is closed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, overload
from uuid import UUID

from pgqueue.errors import UsageError
from pgqueue.job import NewJob
from pgqueue.options import Duration, check_name
from pgqueue.store import workflow_writing as writing
from pgqueue.store import workflows
from pgqueue.store.asking import ask
from pgqueue.store.connection import AnyConnection, AsyncConnection, SyncConnection, is_async
from pgqueue.store.statement import Statement
from pgqueue.store.workflow_rows import Rows
from pgqueue.workflows.compiled import Compiled
from pgqueue.workflows.parts import head_of
from pgqueue.workflows.plan import Plan
from pgqueue.workflows.planned import Bound, Spot
from pgqueue.workflows.sending import send
from pgqueue.workflows.started import Started

# Jobs of one call: one statement.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """A group to which jobs may be added: its workflow's `id`, and its `node` there. A job can be given both.

    `created` is False if open_group() found one of the same unique key.
    """

    id: UUID
    node: int = 1
    created: bool = True

    @overload
    def add(self, conn: SyncConnection, /, *jobs: NewJob) -> list[UUID]: ...
    @overload
    def add(self, conn: AsyncConnection, /, *jobs: NewJob) -> Awaitable[list[UUID]]: ...
    def add(self, conn: AnyConnection, /, *jobs: NewJob) -> list[UUID] | Awaitable[list[UUID]]:
        """Add jobs, in the transaction open on `conn`: its callbacks wait for them, too. Answers their ids.

        Raises UsageError if it was closed. A job of the group adds by `current_job().add(...)`, also once it is closed.
        O(jobs log n).
        """
        if len(jobs) > MOST:
            raise UsageError(f"a call adds at most {MOST:,} jobs, got {len(jobs):,}; add them in several calls")
        rows = _added(jobs)
        said = f'{{"jobs":[{",".join(writing.job_json(row, own=True) for row in rows.members)}]}}'
        told = workflows.add(self.id, self.node, said)
        ids = [row.id for row in rows.members]
        return ask(conn, Statement(told.sql, told.params, lambda _rows: ids))

    @overload
    def close(self, conn: SyncConnection, /) -> bool: ...
    @overload
    def close(self, conn: AsyncConnection, /) -> Awaitable[bool]: ...
    def close(self, conn: AnyConnection, /) -> bool | Awaitable[bool]:
        """Nothing more is added, in the transaction open on `conn`: its callbacks come when all jobs have ended.

        False if it was closed before. Waits for transactions that are adding to it. O(log n).
        """
        return ask(conn, workflows.close(self.id, self.node))


@overload
def open_group(
    conn: SyncConnection,
    name: str = "group",
    *jobs: NewJob,
    on_success: NewJob | None = None,
    on_complete: NewJob | None = None,
    on_death: NewJob | None = None,
    inside: OpenGroup | None = None,
    unique_key: str | None = None,
    deadline: Duration | None = None,
    labels: Mapping[str, str] | None = None,
) -> OpenGroup: ...
@overload
def open_group(
    conn: AsyncConnection,
    name: str = "group",
    *jobs: NewJob,
    on_success: NewJob | None = None,
    on_complete: NewJob | None = None,
    on_death: NewJob | None = None,
    inside: OpenGroup | None = None,
    unique_key: str | None = None,
    deadline: Duration | None = None,
    labels: Mapping[str, str] | None = None,
) -> Awaitable[OpenGroup]: ...
def open_group(
    conn: AnyConnection,
    name: str = "group",
    *jobs: NewJob,
    on_success: NewJob | None = None,
    on_complete: NewJob | None = None,
    on_death: NewJob | None = None,
    inside: OpenGroup | None = None,
    unique_key: str | None = None,
    deadline: Duration | None = None,
    labels: Mapping[str, str] | None = None,
) -> OpenGroup | Awaitable[OpenGroup]:
    """Begin a group to which jobs are added later, in the transaction open on `conn`.

    Once it is closed and they have ended: `on_success` runs if all have succeeded, `on_complete` in any case;
    `on_death` when the first is dead or cancelled. Each once. A group `inside` another keeps that one open, and its
    jobs count there, too. Raises UsageError. O(jobs log n).
    """
    callbacks = {"success": on_success, "end": on_complete, "death": on_death}
    plan, spot = _plan(name, jobs, callbacks)
    if inside is not None:
        if (unique_key, deadline, labels) != (None, None, None):
            raise UsageError("a group inside another is of its workflow: key, deadline and labels are said of that one")
        inner: OpenGroup | Awaitable[OpenGroup] = _open_inside(conn, inside, plan, spot)
        return inner
    head = head_of(name, unique_key, deadline, labels)
    started = send(conn, Compiled(plan, head, "hold"))
    if is_async(conn):
        return _opened_later(started)
    assert isinstance(started, Started)
    return OpenGroup(started.id, created=started.created)


async def _opened_later(started: Any) -> OpenGroup:
    found = await started
    return OpenGroup(found.id, created=found.created)


def _plan(name: str, jobs: tuple[NewJob, ...], callbacks: Mapping[str, NewJob | None]) -> tuple[Plan, Spot]:
    check_name("name", name)
    plan = Plan()
    with plan.scope(()) as scope:
        given = plan.members(jobs, name, (), Bound(), is_open=True).given
    ((spot, _),) = scope.spots
    for what, job in callbacks.items():
        if job is not None:
            told = {"end": "complete"}.get(what, what)
            plan.callback(scope, what, job, f"{name}.on_{told}", Bound(given, given))
    return plan, spot


def _added(jobs: tuple[NewJob, ...]) -> Rows:
    """The rows of jobs that go where a group has said."""
    plan = Plan()
    plan.members(list(jobs), "members", (), Bound())
    compiled = Compiled(plan, head_of("members", None, None, None), "hold")
    members = [row._replace(node=0) for _, rows in compiled.batches() for row in rows]
    return Rows(members=members)


def _open_inside(conn: Any, outer: OpenGroup, plan: Plan, spot: Spot) -> Any:
    compiled = Compiled(plan, head_of("inner", None, None, None), "hold")
    rows = Rows(members=[row for _, some in compiled.batches() for row in some])
    rows.nodes, rows.gates = compiled.nodes(), compiled.gates()
    said = writing.as_json(rows, own=frozenset({spot.number}))
    added = writing.add_inside(outer.id, outer.node, said)
    return ask(conn, Statement(added.sql, added.params, lambda found: OpenGroup(outer.id, added.read(found))))
